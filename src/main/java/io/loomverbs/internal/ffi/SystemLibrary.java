package io.loomverbs.internal.ffi;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.SymbolLookup;

/**
 * A library of the system. It is loaded once. Until then each call looks for the obstacle again,
 * since it may be temporary: a process may have no file descriptor left for a moment.
 */
final class SystemLibrary {
    private static final int ENFILE = 23;
    private static final int EMFILE = 24;

    private final String name;

    /** What to install. */
    private final String advice;

    private volatile @Nullable SymbolLookup symbols;

    /** What it lacks permanently, as text: an exception's stack trace would keep classes. */
    private volatile @Nullable String lack;

    SystemLibrary(String name, String advice) {
        this.name = name;
        this.advice = advice;
    }

    /**
     * The reason why it cannot be used now, or null if it can; null is final.
     *
     * @param function that it must have
     * @param since which version has that
     */
    @Nullable Throwable unavailabilityCause(String function, String since) {
        if (symbols != null) {
            return null;
        }
        if (!Ffi.isEnabled()) {
            return Ffi.notEnabled();
        }
        String problem = lack;
        if (problem == null) {
            try {
                SymbolLookup found = Ffi.library(name);
                if (found.find(function).isPresent()) {
                    symbols = found;
                    return null;
                }
                problem = "it has no function " + function + ", which came with " + since;
                lack = problem;
            } catch (IllegalArgumentException | UnsupportedOperationException e) {
                problem = String.valueOf(e.getMessage());
                String descriptors = noDescriptors(Libc.descriptorErrno());
                if (descriptors != null) {
                    return unusable(descriptors, problem);
                }
            }
        }
        return unusable(advice, problem);
    }

    private Throwable unusable(String why, String problem) {
        return new UnsupportedOperationException(
                name + " cannot be loaded: " + why, new IllegalArgumentException(problem));
    }

    private static @Nullable String noDescriptors(int errno) {
        return switch (errno) {
            case EMFILE -> "EMFILE: too many open files: see ulimit -n";
            case ENFILE -> "ENFILE: too many open files in the system: see fs.file-max";
            default -> null;
        };
    }

    LibraryFunctions functions() {
        SymbolLookup found = symbols;
        if (found == null) {
            throw new IllegalStateException(name + " is not loaded");
        }
        return new LibraryFunctions(name, found);
    }
}

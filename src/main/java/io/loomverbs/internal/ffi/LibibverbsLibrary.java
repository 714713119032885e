package io.loomverbs.internal.ffi;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.SymbolLookup;

/** Whether {@code libibverbs.so.1} can be used, found out once. */
public final class LibibverbsLibrary {
    /** The library's name; the one without the number comes with its headers only. */
    public static final String NAME = "libibverbs.so.1";

    private static final @Nullable SymbolLookup SYMBOLS;

    /** Why it cannot be loaded. No exception: its stack trace keeps the classes of its caller. */
    private static final @Nullable String PROBLEM;

    static {
        SymbolLookup symbols = null;
        String problem = null;
        if (Ffi.isEnabled()) {
            try {
                symbols = Ffi.library(NAME);
            } catch (IllegalArgumentException | UnsupportedOperationException e) {
                problem = String.valueOf(e.getMessage());
            }
        }
        SYMBOLS = symbols;
        PROBLEM = problem;
    }

    private LibibverbsLibrary() {}

    /** Why it cannot be used, or null if it can. */
    public static @Nullable Throwable unavailabilityCause() {
        if (PROBLEM != null) {
            return new UnsupportedOperationException(
                    NAME
                            + " cannot be loaded: install libibverbs (Debian: apt install"
                            + " libibverbs1 ibverbs-providers; Fedora: dnf install"
                            + " libibverbs)",
                    new IllegalArgumentException(PROBLEM));
        }
        return SYMBOLS == null ? Ffi.notEnabled() : null;
    }

    static LibraryFunctions functions() {
        if (SYMBOLS == null) {
            throw new IllegalStateException(NAME + " cannot be used", unavailabilityCause());
        }
        return new LibraryFunctions(NAME, SYMBOLS);
    }
}

package io.loomverbs.internal.ffi;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.SymbolLookup;

/** Whether {@code librdmacm.so.1} can be used, found out once. */
public final class LibrdmacmLibrary {
    /** The library's name; the one without the number comes with its headers only. */
    public static final String NAME = "librdmacm.so.1";

    /** The newest of the functions that are needed, of rdma-core 23. */
    private static final String NEWEST = "rdma_establish";

    private static final @Nullable SymbolLookup SYMBOLS;

    /** Why it cannot be loaded. No exception: its stack trace keeps the classes of its caller. */
    private static final @Nullable String PROBLEM;

    static {
        SymbolLookup symbols = null;
        String problem = null;
        if (LibibverbsLibrary.unavailabilityCause() == null) {
            try {
                symbols = Ffi.library(NAME);
                if (symbols.find(NEWEST).isEmpty()) {
                    symbols = null;
                    problem = "it has no function " + NEWEST + ", which came with rdma-core 23";
                }
            } catch (IllegalArgumentException | UnsupportedOperationException e) {
                problem = String.valueOf(e.getMessage());
            }
        }
        SYMBOLS = symbols;
        PROBLEM = problem;
    }

    private LibrdmacmLibrary() {}

    /** Why it cannot be used, or null if it can. It needs libibverbs. */
    public static @Nullable Throwable unavailabilityCause() {
        if (PROBLEM != null) {
            return new UnsupportedOperationException(
                    NAME
                            + " cannot be loaded: install librdmacm (Debian: apt install"
                            + " librdmacm1; Fedora: dnf install librdmacm)",
                    new IllegalArgumentException(PROBLEM));
        }
        return SYMBOLS == null ? LibibverbsLibrary.unavailabilityCause() : null;
    }

    static LibraryFunctions functions() {
        if (SYMBOLS == null) {
            throw new IllegalStateException(NAME + " cannot be used", unavailabilityCause());
        }
        return new LibraryFunctions(NAME, SYMBOLS);
    }
}

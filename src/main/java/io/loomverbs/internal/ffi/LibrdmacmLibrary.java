package io.loomverbs.internal.ffi;

import org.jspecify.annotations.Nullable;

/** Whether {@code librdmacm.so.1} can be used; a positive answer is final. */
public final class LibrdmacmLibrary {
    /** The library's name; the one without the number comes with its headers only. */
    public static final String NAME = "librdmacm.so.1";

    /** The newest of the functions that are needed. */
    private static final String NEWEST = "rdma_establish";

    private static final SystemLibrary LIBRARY =
            new SystemLibrary(
                    NAME,
                    "install librdmacm (Debian: apt install librdmacm1; Fedora: dnf install"
                            + " librdmacm)");

    private LibrdmacmLibrary() {}

    /** The reason why it cannot be used now, or null if it can. It needs libibverbs. */
    public static @Nullable Throwable unavailabilityCause() {
        Throwable cause = LibibverbsLibrary.unavailabilityCause();
        return cause != null ? cause : LIBRARY.unavailabilityCause(NEWEST, "rdma-core 23");
    }

    static LibraryFunctions functions() {
        Throwable cause = unavailabilityCause();
        if (cause != null) {
            throw new IllegalStateException(NAME + " cannot be used", cause);
        }
        return LIBRARY.functions();
    }
}

package io.loomverbs.internal.ffi;

import org.jspecify.annotations.Nullable;

/** Whether {@code libibverbs.so.1} can be used; a positive answer is final. */
public final class LibibverbsLibrary {
    /** The library's name; the one without the number comes with its headers only. */
    public static final String NAME = "libibverbs.so.1";

    private static final SystemLibrary LIBRARY =
            new SystemLibrary(
                    NAME,
                    "install libibverbs (Debian: apt install libibverbs1 ibverbs-providers; Fedora:"
                            + " dnf install libibverbs)");

    private LibibverbsLibrary() {}

    /** The reason why it cannot be used now, or null if it can. */
    public static @Nullable Throwable unavailabilityCause() {
        return LIBRARY.unavailabilityCause("ibv_get_device_list", "its first version");
    }

    static LibraryFunctions functions() {
        Throwable cause = unavailabilityCause();
        if (cause != null) {
            throw new IllegalStateException(NAME + " cannot be used", cause);
        }
        return LIBRARY.functions();
    }
}

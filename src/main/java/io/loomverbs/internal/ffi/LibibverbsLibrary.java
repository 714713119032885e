package io.loomverbs.internal.ffi;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.SymbolLookup;

/** Whether {@code libibverbs.so.1} can be used, found out once. */
public final class LibibverbsLibrary {
    /** The library's name; the one without the number comes with its headers only. */
    public static final String NAME = "libibverbs.so.1";

    private static final @Nullable SymbolLookup SYMBOLS;
    private static final @Nullable Throwable CAUSE;

    static {
        SymbolLookup symbols = null;
        Throwable cause = null;
        try {
            if (Ffi.isEnabled()) {
                symbols = Ffi.library(NAME);
            } else {
                cause = notEnabled();
            }
        } catch (IllegalArgumentException | UnsupportedOperationException e) {
            cause =
                    new UnsupportedOperationException(
                            NAME
                                    + " cannot be loaded: install libibverbs (Debian: apt install"
                                    + " libibverbs1 ibverbs-providers; Fedora: dnf install"
                                    + " libibverbs)",
                            e);
        }
        SYMBOLS = symbols;
        CAUSE = cause;
    }

    private LibibverbsLibrary() {}

    private static Throwable notEnabled() {
        Module module = LibibverbsLibrary.class.getModule();
        String name = module.isNamed() ? module.getName() : "ALL-UNNAMED";
        return new IllegalCallerException(
                "native access is not enabled: start java with --enable-native-access=" + name);
    }

    /** Why it cannot be used, or null if it can. */
    public static @Nullable Throwable unavailabilityCause() {
        return CAUSE;
    }

    static SymbolLookup symbols() {
        if (SYMBOLS == null) {
            throw new IllegalStateException(NAME + " cannot be used", CAUSE);
        }
        return SYMBOLS;
    }
}

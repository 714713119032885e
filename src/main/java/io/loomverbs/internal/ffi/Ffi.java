package io.loomverbs.internal.ffi;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.AddressLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;

/**
 * Linking, and {@code errno}.
 *
 * <p>Pointers cross as {@code long}: a 64-bit ABI passes both alike, and a {@code long} needs no
 * object and no liveness check per call. So the caller must keep the memory reachable until the
 * call returns.
 */
@SuppressWarnings("restricted") // allowed in this package
final class Ffi {
    /** A pointer, as its address. */
    static final ValueLayout.OfLong POINTER = ValueLayout.JAVA_LONG;

    static final Linker LINKER = Linker.nativeLinker();

    private static final String ERRNO_NAME = "errno";
    private static final Linker.Option CAPTURE = Linker.Option.captureCallState(ERRNO_NAME);
    private static final MemoryLayout CAPTURED = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO =
            CAPTURED.varHandle(PathElement.groupElement(ERRNO_NAME)).withInvokeExactBehavior();

    /** For a failure that left no errno. */
    private static final int EIO = 5;

    private Ffi() {}

    /** Whether this code may call native code without a warning or an exception. */
    static boolean isEnabled() {
        return Ffi.class.getModule().isNativeAccessEnabled();
    }

    /** The remedy if {@link #isEnabled} is false. */
    static Throwable notEnabled() {
        Module module = Ffi.class.getModule();
        String name = module.isNamed() ? module.getName() : "ALL-UNNAMED";
        return new IllegalCallerException(
                "native access is not enabled: start java with --enable-native-access=" + name);
    }

    /** Finds the symbols of a library, which stays loaded. */
    static SymbolLookup library(String name) {
        return SymbolLookup.libraryLookup(name, Arena.global());
    }

    /** Links a function that reports failures by its result alone. */
    static MethodHandle downcall(MemorySegment function, FunctionDescriptor type) {
        return LINKER.downcallHandle(function, type);
    }

    /** Links functions of one type; the first argument of the handle says which. */
    static MethodHandle pointerDowncall(FunctionDescriptor type) {
        return LINKER.downcallHandle(type);
    }

    /**
     * What {@link #pointerDowncall} takes for the function at {@code address}. Made for each call:
     * a segment that the compiler sees being made is not allocated, and needs none of the checks of
     * one from a field.
     */
    static MemorySegment function(long address) {
        return MemorySegment.ofAddress(address);
    }

    /** Links a function; the first argument of the handle takes what {@link #errno} reads. */
    static MethodHandle capturing(MemorySegment function, FunctionDescriptor type) {
        return LINKER.downcallHandle(function, type, CAPTURE);
    }

    /** As {@link #capturing}, for functions of one type; the function comes first. */
    static MethodHandle pointerCapturing(FunctionDescriptor type) {
        return LINKER.downcallHandle(type, CAPTURE);
    }

    /** Memory for the {@code errno} of calls that one thread makes at a time. */
    static MemorySegment callState(Arena arena) {
        return arena.allocate(CAPTURED);
    }

    static long pointer(MethodHandle function, MemorySegment call, long a) {
        try {
            return pointer((long) function.invokeExact(call, a), call);
        } catch (Throwable e) {
            throw rethrown(e);
        }
    }

    static long pointer(MethodHandle function, MemorySegment call, long a, long b) {
        try {
            return pointer((long) function.invokeExact(call, a, b), call);
        } catch (Throwable e) {
            throw rethrown(e);
        }
    }

    /** The pointer that a function has returned, or a negative errno for null. */
    static long pointer(long result, MemorySegment call) {
        return result != 0 ? result : failure(call);
    }

    static int code(MethodHandle function, MemorySegment call, long a) {
        try {
            return code((int) function.invokeExact(call, a), call);
        } catch (Throwable e) {
            throw rethrown(e);
        }
    }

    static int code(MethodHandle function, MemorySegment call, long a, long b) {
        try {
            return code((int) function.invokeExact(call, a, b), call);
        } catch (Throwable e) {
            throw rethrown(e);
        }
    }

    static int code(MethodHandle function, MemorySegment call, long a, int b) {
        try {
            return code((int) function.invokeExact(call, a, b), call);
        } catch (Throwable e) {
            throw rethrown(e);
        }
    }

    /**
     * 0 or a negative errno. Most verbs return the error number, some of some drivers its negative,
     * and some verbs and all of librdmacm -1 with the number in errno.
     */
    static int code(int result, MemorySegment call) {
        if (result == 0) {
            return 0;
        }
        return result == -1 ? failure(call) : -Math.abs(result);
    }

    private static int failure(MemorySegment call) {
        int errno = errno(call);
        return errno > 0 ? -errno : -EIO;
    }

    /** The {@code errno} that the last call left. */
    static int errno(MemorySegment callState) {
        return (int) ERRNO.get(callState, 0L);
    }

    /**
     * The exception to throw when a downcall has thrown. A downcall itself throws only for wrong
     * arguments; otherwise the thread is out of stack or memory.
     */
    static RuntimeException rethrown(Throwable e) {
        if (e instanceof Error error) {
            throw error;
        }
        return e instanceof RuntimeException exception ? exception : new IllegalStateException(e);
    }

    /** {@code size_t}, as wide as a pointer. */
    static final ValueLayout.OfLong SIZE_T = ValueLayout.JAVA_LONG;

    static {
        AddressLayout address = ValueLayout.ADDRESS;
        if (address.byteSize() != Long.BYTES || JAVA_INT.byteSize() != Integer.BYTES) {
            throw new UnsupportedOperationException(
                    "pointers here have " + address.byteSize() + " bytes, but must have 8");
        }
    }
}

package io.loomverbs.internal.ffi;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** Links functions of the C library that return an {@code int} and set {@code errno}. */
final class LibcCalls {
    private LibcCalls() {}

    static MethodHandle capturing(String name, MemoryLayout... arguments) {
        MethodHandle handle = capturingIfThere(name, arguments);
        if (handle == null) {
            throw new UnsatisfiedLinkError("the C library has no function " + name);
        }
        return handle;
    }

    static @Nullable MethodHandle capturingIfThere(String name, MemoryLayout... arguments) {
        MemorySegment function = find(name);
        return function == null
                ? null
                : Ffi.capturing(function, FunctionDescriptor.of(JAVA_INT, arguments));
    }

    static @Nullable MemorySegment find(String name) {
        Linker linker = Ffi.LINKER;
        return linker.defaultLookup().find(name).orElse(null);
    }
}

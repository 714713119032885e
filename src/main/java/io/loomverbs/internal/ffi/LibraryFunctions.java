package io.loomverbs.internal.ffi;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;

/** Links the functions of a library by their names. */
record LibraryFunctions(String library, SymbolLookup symbols) {
    /** A function that returns a pointer. */
    MethodHandle pointer(String name, MemoryLayout... arguments) {
        return Ffi.capturing(symbol(name), FunctionDescriptor.of(Ffi.POINTER, arguments));
    }

    /** A function that returns an error number. */
    MethodHandle code(String name, MemoryLayout... arguments) {
        return Ffi.capturing(symbol(name), FunctionDescriptor.of(JAVA_INT, arguments));
    }

    /** A function that returns nothing, and cannot fail. */
    MethodHandle nothing(String name, MemoryLayout... arguments) {
        return Ffi.downcall(symbol(name), FunctionDescriptor.ofVoid(arguments));
    }

    /** A function that returns 64 bits, and cannot fail. */
    MethodHandle number(String name, MemoryLayout... arguments) {
        return Ffi.downcall(symbol(name), FunctionDescriptor.of(JAVA_LONG, arguments));
    }

    /** A function that older libraries lack: null then. */
    @Nullable MethodHandle optional(String name, FunctionDescriptor type) {
        return symbols.find(name).map(function -> Ffi.capturing(function, type)).orElse(null);
    }

    private MemorySegment symbol(String name) {
        return symbols.find(name)
                .orElseThrow(() -> new UnsatisfiedLinkError(library + " has no function " + name));
    }
}

package io.loomverbs.internal.ffi;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Locale;

/**
 * Anonymous pages of this process: {@code mmap} and its like. Addresses and sizes are multiples of
 * the size of a page.
 */
@SuppressWarnings("restricted") // allowed in this package
public final class Pages {
    private static final int PROT_READ_WRITE = 3;
    private static final int MAP_PRIVATE = 2;
    private static final int MAP_ANONYMOUS = 0x20;
    private static final int MREMAP_MAYMOVE = 1;
    private static final int MREMAP_DONTUNMAP = 4;
    private static final int MADV_DONTNEED = 4;
    private static final int SC_PAGESIZE = 30;

    private Pages() {}

    /** The functions; loaded only where they may be called. */
    private static final class Calls {
        static final MethodHandle MMAP =
                link("mmap", JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG);
        static final MethodHandle MUNMAP = linkInt("munmap", JAVA_LONG, JAVA_LONG);
        static final MethodHandle MADVISE = linkInt("madvise", JAVA_LONG, JAVA_LONG, JAVA_INT);

        static final MethodHandle MEMSET = link("memset", JAVA_LONG, JAVA_INT, JAVA_LONG);

        /** The new address is variadic. */
        static final MethodHandle MREMAP =
                Ffi.LINKER.downcallHandle(
                        Ffi.LINKER.defaultLookup().findOrThrow("mremap"),
                        FunctionDescriptor.of(
                                JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_LONG),
                        Linker.Option.firstVariadicArg(4));

        static final long PAGE = pageSize();

        private static MethodHandle link(String name, MemoryLayout... arguments) {
            return Ffi.downcall(
                    Ffi.LINKER.defaultLookup().findOrThrow(name),
                    FunctionDescriptor.of(JAVA_LONG, arguments));
        }

        private static MethodHandle linkInt(String name, MemoryLayout... arguments) {
            return Ffi.downcall(
                    Ffi.LINKER.defaultLookup().findOrThrow(name),
                    FunctionDescriptor.of(JAVA_INT, arguments));
        }

        private static long pageSize() {
            try {
                MethodHandle sysconf = link("sysconf", JAVA_INT);
                return (long) sysconf.invokeExact(SC_PAGESIZE);
            } catch (Throwable e) {
                throw new AssertionError(e);
            }
        }
    }

    /** Whether these functions may be called here, and mean what they mean on Linux. */
    public static boolean areAvailable() {
        return Ffi.isEnabled()
                && System.getProperty("os.name", "").toLowerCase(Locale.ROOT).contains("linux");
    }

    /** The size of a page. */
    public static long size() {
        return Calls.PAGE;
    }

    /** Maps new pages, which read zero: their address, or -1. */
    public static long map(long bytes) {
        try {
            return (long)
                    Calls.MMAP.invokeExact(
                            0L, bytes, PROT_READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0L);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /**
     * Moves the contents of pages to another address, at once for all threads; the pages themselves
     * stay mapped, and read zero. The other address, or -1 if nothing has changed.
     */
    public static long moveOut(long address, long bytes) {
        try {
            return (long)
                    Calls.MREMAP.invokeExact(
                            address, bytes, bytes, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0L);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** Gives the contents of pages back to the system; the pages stay mapped, and read zero. */
    public static boolean discard(long address, long bytes) {
        try {
            return (int) Calls.MADVISE.invokeExact(address, bytes, MADV_DONTNEED) == 0;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** Unmaps pages, of which no segment may be alive. */
    public static boolean unmap(long address, long bytes) {
        try {
            return (int) Calls.MUNMAP.invokeExact(address, bytes) == 0;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /**
     * Overwrites pages with zeros. By the C library, which takes half as long as {@link
     * MemorySegment#fill}, and meanwhile does not delay a pause of the JVM.
     */
    public static void zero(long address, long bytes) {
        try {
            long _ = (long) Calls.MEMSET.invokeExact(address, 0, bytes);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** The memory there, as long as {@code arena} is alive. */
    public static MemorySegment segment(long address, long bytes, Arena arena) {
        return MemorySegment.ofAddress(address).reinterpret(bytes, arena, null);
    }
}

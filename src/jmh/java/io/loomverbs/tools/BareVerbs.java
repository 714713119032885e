package io.loomverbs.tools;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;

/** The least that Java can do to poll and arm: two calls of the driver's functions, and no more. */
@SuppressWarnings("restricted") // of course
final class BareVerbs {
    private static final int CQE = 16;
    private static final int WC_BYTES = 48;

    // Of struct ibv_context.
    private static final long POLL_CQ_AT = 96;
    private static final long REQ_NOTIFY_CQ_AT = 104;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final SymbolLookup LIBRARY =
            SymbolLookup.libraryLookup("libibverbs.so.1", Arena.global());
    private static final MethodHandle POLL =
            LINKER.downcallHandle(FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_INT, JAVA_LONG));
    private static final MethodHandle ARM =
            LINKER.downcallHandle(FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_INT));

    private final MemorySegment poll;
    private final MemorySegment arm;
    private final long cq;
    private final MemorySegment completions = Arena.global().allocate((long) CQE * WC_BYTES, 8);

    BareVerbs(String device) throws Throwable {
        long context = open(device);
        long channel = (long) function("ibv_create_comp_channel", JAVA_LONG).invokeExact(context);
        cq =
                (long)
                        function(
                                        "ibv_create_cq",
                                        JAVA_LONG,
                                        JAVA_INT,
                                        JAVA_LONG,
                                        JAVA_LONG,
                                        JAVA_INT)
                                .invokeExact(context, CQE, 0L, channel, 0);
        if (cq == 0) {
            throw new IllegalStateException("no CQ on " + device);
        }
        MemorySegment at = MemorySegment.ofAddress(context).reinterpret(REQ_NOTIFY_CQ_AT + 8);
        poll = MemorySegment.ofAddress(at.get(JAVA_LONG, POLL_CQ_AT));
        arm = MemorySegment.ofAddress(at.get(JAVA_LONG, REQ_NOTIFY_CQ_AT));
    }

    private static MethodHandle function(String name, MemoryLayout... arguments) {
        return LINKER.downcallHandle(
                LIBRARY.findOrThrow(name), FunctionDescriptor.of(JAVA_LONG, arguments));
    }

    private static long open(String device) throws Throwable {
        long list = (long) function("ibv_get_device_list", JAVA_LONG).invokeExact(0L);
        MethodHandle name = function("ibv_get_device_name", JAVA_LONG);
        long at = list;
        long found = list == 0 ? 0 : pointerAt(at);
        while (found != 0) {
            long text = (long) name.invokeExact(found);
            if (MemorySegment.ofAddress(text).reinterpret(64).getString(0).equals(device)) {
                return (long) function("ibv_open_device", JAVA_LONG).invokeExact(found);
            }
            at += Long.BYTES;
            found = pointerAt(at);
        }
        throw new IllegalArgumentException("no device " + device);
    }

    private static long pointerAt(long address) {
        return MemorySegment.ofAddress(address).reinterpret(Long.BYTES).get(JAVA_LONG, 0);
    }

    int poll() throws Throwable {
        return (int) POLL.invokeExact(poll, cq, CQE, completions.address());
    }

    int arm() throws Throwable {
        return (int) ARM.invokeExact(arm, cq, 0);
    }
}

package io.loomverbs.misuse;

import io.loomverbs.Access;
import io.loomverbs.AhAttributes;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Gid;
import io.loomverbs.MrAdvice;
import io.loomverbs.MrChanges;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.WcOpcode;
import io.loomverbs.WorkCompletions;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.List;

/** Bad input to protection domains: memory, access, and what is created in them. */
final class DomainMisuse extends MisuseTable {
    DomainMisuse() {
        String reg = "ProtectionDomain.regMr(MemorySegment, Access[])";
        MemorySegment heap = MemorySegment.ofArray(new byte[64]);
        iae(reg, s -> s.pd.regMr(heap), "memory", "64 bytes", "heap");
        iae(reg, s -> s.pd.regMr(freed()), "memory", "64 bytes", "freed");
        iae(reg, s -> s.pd.regMr(confined()), "memory", "64 bytes", "confined");
        iae(reg, s -> s.pd.regMr(MemorySegment.NULL), "memory.byteSize() is 0", "max_mr_size");
        MemorySegment readOnly = Arena.global().allocate(64).asReadOnly();
        for (Access access :
                List.of(Access.LOCAL_WRITE, Access.REMOTE_WRITE, Access.REMOTE_ATOMIC)) {
            iae(reg, s -> s.pd.regMr(readOnly, access), "memory", "read-only", access.name());
        }
        String buffer = "ProtectionDomain.regMr(ByteBuffer, Access[])";
        iae(buffer, s -> s.pd.regMr(ByteBuffer.allocate(64)), "memory", "64 bytes", "heap");
        iae(
                buffer,
                s -> s.pd.regMr(ByteBuffer.allocateDirect(64).position(64)),
                "memory.byteSize() is 0",
                "max_mr_size");
        iae(
                buffer,
                s ->
                        s.pd.regMr(
                                ByteBuffer.allocateDirect(64).asReadOnlyBuffer(),
                                Access.LOCAL_WRITE),
                "memory",
                "read-only");
        iae(
                buffer,
                s -> s.pd.regMr(ByteBuffer.allocateDirect(64), Access.REMOTE_ATOMIC),
                "access",
                "LOCAL_WRITE");
        String allocate = "ProtectionDomain.allocateMr(long, Access[])";
        for (Access access : List.of(Access.REMOTE_WRITE, Access.REMOTE_ATOMIC)) {
            iae(
                    reg,
                    s -> s.pd.regMr(Arena.global().allocate(64), access),
                    "access",
                    access.name(),
                    "LOCAL_WRITE");
            iae(allocate, s -> s.pd.allocateMr(64, access), "access", access.name());
        }
        for (long bytes : new long[] {0, -1, Long.MIN_VALUE}) {
            iae(allocate, s -> s.pd.allocateMr(bytes), "bytes is " + bytes, "max_mr_size");
        }
        dmabuf();
        rereg();
        String qp = "ProtectionDomain.createQp(QpConfig)";
        for (QpType type : QpType.values()) {
            iae(
                    qp,
                    s -> s.pd.createQp(QpConfig.of(type, s.foreignCq, s.polled)),
                    "sendCq",
                    "protection domain");
            iae(qp, s -> s.pd.createQp(QpConfig.of(type, s.polled, s.foreignCq)), "recvCq");
            iae(
                    qp,
                    s -> s.pd.createQp(s.config(type).withWr(MAX, 1)),
                    "maxSendWr is " + MAX_S,
                    "max_qp_wr");
            iae(qp, s -> s.pd.createQp(s.config(type).withWr(1, MAX)), "maxRecvWr is " + MAX_S);
            iae(
                    qp,
                    s -> s.pd.createQp(s.config(type).withSge(MAX, 1)),
                    "maxSendSge is " + MAX_S,
                    "max_sge");
            iae(qp, s -> s.pd.createQp(s.config(type).withSge(1, MAX)), "maxRecvSge is " + MAX_S);
            iae(
                    qp,
                    s -> s.pd.createQp(s.config(type).withInlineData(MAX)),
                    "maxInlineData is " + MAX_S,
                    "inline data");
        }
        closed(
                qp,
                s -> {
                    CompletionQueue gone = s.f.direct();
                    gone.close();
                    s.pd.createQp(QpConfig.of(QpType.RC, s.polled, gone));
                },
                "cq-",
                "is closed");
        replies();
        Gid gid = new Gid(1, 2);
        String ah = "ProtectionDomain.createAh(AhAttributes)";
        iae(
                ah,
                s -> s.pd.createAh(new AhAttributes(2, 0, 0, gid, 0, 0, 0, 0)),
                "portNum is 2",
                "phys_port_cnt");
        if (REAL) {
            // Its table of GIDs is longer than the field is wide, and has nothing there.
            errno(
                    ah,
                    s -> s.pd.createAh(new AhAttributes(1, 0, 0, gid, 255, 0, 0, 0)),
                    "ibv_create_ah",
                    "ENODATA",
                    "sgidIndex=255");
        } else {
            iae(
                    ah,
                    s -> s.pd.createAh(new AhAttributes(1, 0, 0, gid, 255, 0, 0, 0)),
                    "sgidIndex is 255",
                    "gid_tbl_len");
        }
    }

    private void dmabuf() {
        String dmabuf = "ProtectionDomain.regDmabufMr(int, long, long, long, Access[])";
        iae(dmabuf, s -> s.pd.regDmabufMr(-1, 0, 64, 0), "fd is -1", "a file descriptor");
        iae(dmabuf, s -> s.pd.regDmabufMr(0, -1, 64, 0), "offset is -1");
        iae(dmabuf, s -> s.pd.regDmabufMr(0, Long.MAX_VALUE, 64, -1), "offset is ");
        iae(dmabuf, s -> s.pd.regDmabufMr(0, 0, 0, 0), "length is 0", "max_mr_size");
        iae(dmabuf, s -> s.pd.regDmabufMr(0, 4096, 64, 8), "iova is 0x8", "offset, 4096");
        iae(
                dmabuf,
                s -> s.pd.regDmabufMr(0, 0, 64, 0, Access.REMOTE_WRITE),
                "access",
                "LOCAL_WRITE");
    }

    private void rereg() {
        String rereg = "MemoryRegion.rereg(MrChanges)";
        MrChanges none = MrChanges.of();
        iae(rereg, s -> s.mr.rereg(none), "changes is", "changes nothing");
        iae(rereg, s -> s.mr.rereg(none.withPd(s.g.pd)), "pd is", "another context");
        iae(rereg, s -> s.mr.rereg(none.withAccess(Access.REMOTE_ATOMIC)), "access", "LOCAL_WRITE");
        iae(rereg, s -> s.mr.rereg(none.withMemory(freed())), "memory", "freed");
        iae(rereg, s -> s.mr.rereg(none.withMemory(confined())), "memory", "confined");
        iae(
                rereg,
                s -> s.mr.rereg(none.withMemory(Arena.global().allocate(64).asReadOnly())),
                "memory",
                "read-only",
                "LOCAL_WRITE");
        closed(
                rereg,
                s -> {
                    ProtectionDomain gone = s.f.own(s.context.allocPd());
                    gone.close();
                    s.mr.rereg(none.withPd(gone));
                },
                "/pd-",
                "is closed");
        String advise = "MemoryRegion.advise(MrAdvice, long, long, boolean)";
        for (long bad : new long[] {-1, 64, Long.MAX_VALUE}) {
            iae(
                    advise,
                    s -> s.mr.advise(MrAdvice.PREFETCH, bad, 1, true),
                    "offset is " + bad,
                    "the length of");
        }
        for (long bad : new long[] {0, -1, 57, Long.MAX_VALUE}) {
            iae(
                    advise,
                    s -> s.mr.advise(MrAdvice.PREFETCH, 8, bad, false),
                    "bytes is " + bad,
                    "what is left of");
        }
    }

    private void replies() {
        String from = "ProtectionDomain.createAhFromWc(WorkCompletions, int, MemorySegment, int)";
        for (int bad : new int[] {-1, 1, MAX}) {
            fails(
                    IndexOutOfBoundsException.class,
                    from,
                    s -> s.pd.createAhFromWc(received(s), bad, header(), 1),
                    Integer.toString(bad));
        }
        for (int port : new int[] {0, -1, 2, MAX}) {
            iae(from, s -> s.pd.createAhFromWc(received(s), 0, header(), port), "port is " + port);
        }
        iae(
                from,
                s -> s.pd.createAhFromWc(received(s), 0, header().asSlice(1), 1),
                "header.byteSize() is 39",
                "40 to");
        iae(
                from,
                s -> s.pd.createAhFromWc(received(s), 0, header(), 1),
                "header holds no routing header",
                "version is 0");
        iae(
                from,
                s -> {
                    received(s);
                    WorkCompletions sends = WorkCompletions.allocate(1);
                    s.ud.a.postSend(s.ud.send(3, 0));
                    while (s.polled.poll(sends) == 0 || sends.wrId(0) != 3) {
                        Thread.onSpinWait();
                    }
                    s.pd.createAhFromWc(sends, 0, header(), 1);
                },
                "completion 0 is not of a datagram");
    }

    private static MemorySegment header() {
        return MemorySegment.ofArray(new byte[40]);
    }

    /** A batch with one datagram that was received, and has a routing header. */
    private static WorkCompletions received(Scene s) {
        s.ud.message(1, 8);
        WorkCompletions batch = WorkCompletions.allocate(1);
        while (s.polled.poll(batch) == 0 || batch.opcode(0) != WcOpcode.RECV) {
            Thread.onSpinWait();
        }
        return batch;
    }
}

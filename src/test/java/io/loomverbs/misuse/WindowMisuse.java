package io.loomverbs.misuse;

import io.loomverbs.Access;
import io.loomverbs.MemoryRegion;
import io.loomverbs.MemoryWindow;
import io.loomverbs.MwType;

/** Bad input to memory windows and what binds them. */
final class WindowMisuse extends MisuseTable {
    private static final String SEND =
            "SendWorkRequest.bindMw(MemoryWindow, int, MemoryRegion, long, long, Access[])";
    private static final String QP =
            "QueuePair.bindMw(MemoryWindow, long, MemoryRegion, long, long, Access[])";

    /** Either way to bind. */
    private interface Bind {
        void to(Scene s, MemoryRegion mr, long offset, long length, Access... access);
    }

    WindowMisuse() {
        ways(SEND, (s, mr, at, n, access) -> s.send.bindMw(s.mw2, s.mw2.rkey(), mr, at, n, access));
        ways(QP, (s, mr, at, n, access) -> s.rc.b.bindMw(s.mw1, 1, mr, at, n, access));
        iae(SEND, s -> s.send.bindMw(s.mw2, s.mw2.rkey(), s.mr, 64, 0), "length is 0", "1 to 0");
        iae(SEND, s -> s.send.bindMw(s.mw1, 1, s.mr, 0, 1), "mw-", "of TYPE_1", "of QueuePair");
        iae(QP, s -> s.rc.b.bindMw(s.mw2, 1, s.mr, 0, 1), "mw-", "of TYPE_2", "of SendWorkRequest");
        iae(
                QP,
                s -> {
                    MemoryWindow other = s.f.own(s.otherPd.allocMw(MwType.TYPE_1));
                    s.rc.b.bindMw(other, 1, s.otherMr, 0, 1);
                },
                "pd-");
        iae(SEND, s -> s.send.bindMw(s.mw2, s.mw2.rkey() + 256, s.mr, 0, 1), "rkey is 0x", "mw-");
        String restore = "MemoryWindow.restoreRkey(int)";
        iae(restore, s -> s.mw1.restoreRkey(s.mw2.rkey()), "rkey is 0x", "lowest 8 bits");
        post(
                QP,
                s -> s.reset.bindMw(s.mw1, 1, s.mr, 0, 1),
                "ibv_bind_mw",
                "EINVAL",
                "in state RESET",
                "connect it first");
        iae(
                "ProtectionDomain.regMr(MemorySegment, Access[])",
                s -> s.pd.regMr(s.mr.memory(), Access.ZERO_BASED),
                "access is [ZERO_BASED]",
                "windows only");
        iae("QueuePair.init(Access[])", s -> s.reset.init(Access.MW_BIND), "access is [MW_BIND]");
        iae("QueuePair.init(Access[])", s -> s.reset.init(Access.ZERO_BASED), "[ZERO_BASED]");
    }

    private void ways(String name, Bind bind) {
        iae(name, s -> bind.to(s, s.mr, -1, 1), "offset is -1", "0 to 64");
        iae(name, s -> bind.to(s, s.mr, 65, 0), "offset is 65", "0 to 64");
        iae(name, s -> bind.to(s, s.mr, 8, 57), "length is 57", "to 56", "what is left of");
        iae(name, s -> bind.to(s, s.mr, 8, Long.MIN_VALUE), "length is -", "to 56");
        iae(name, s -> bind.to(s, s.otherMr, 0, 1), "mr[", "pd-");
        for (Access bad : new Access[] {Access.LOCAL_WRITE, Access.MW_BIND, Access.ON_DEMAND}) {
            iae(name, s -> bind.to(s, s.mr, 0, 1, bad), "access is [" + bad, "no more than");
        }
        closed(
                name,
                s -> {
                    MemoryRegion gone = s.f.mr(64);
                    gone.close();
                    bind.to(s, gone, 0, 1);
                },
                "mr[",
                "is closed");
        closed(
                name,
                s -> {
                    s.mw1.close();
                    s.mw2.close();
                    bind.to(s, s.mr, 0, 1);
                },
                "mw-",
                "is closed");
    }
}

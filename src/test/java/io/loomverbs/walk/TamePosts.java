package io.loomverbs.walk;

import io.loomverbs.MemoryRegion;
import io.loomverbs.PostException;
import io.loomverbs.QpState;
import io.loomverbs.QpType;
import io.loomverbs.RecvWorkRequest;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.WcOpcode;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** Posts requests, most of them good. */
final class TamePosts {
    private final Tame tame;
    private long lastId;

    TamePosts(Tame tame) {
        this.tame = tame;
    }

    String send(Dice dice) {
        TameQp from = dice.of(tame.qps);
        List<TameQp.Posted> chain = new ArrayList<>();
        SendWorkRequest first = null;
        SendWorkRequest last = null;
        for (int n = dice.oneIn(4) ? 1 + dice.below(4) : 1; n > 0; n--) {
            SendWorkRequest wr = SendWorkRequest.allocate(4, 128);
            chain.add(request(wr, from, dice));
            if (last == null) {
                first = wr;
            } else {
                last.next(wr);
            }
            last = wr;
        }
        int taken = chain.size();
        String end = "";
        QpState before = from.qp.state();
        try {
            from.qp.postSend(first);
            if (before.compareTo(QpState.RTS) < 0) {
                throw new AssertionError(from + " has taken a send in state " + before);
            }
        } catch (PostException e) {
            taken = e.posted();
            end = ": " + e.getMessage();
            checkRefusal(e, chain.size());
        }
        from.sends.addAll(chain.subList(0, taken));
        return "send " + chain + " on " + from + end;
    }

    private static void checkRefusal(PostException e, int chain) {
        if (e.posted() < 0 || e.posted() >= chain) {
            throw new AssertionError("posted " + e.posted() + " of " + chain, e);
        }
    }

    private TameQp.Posted request(SendWorkRequest wr, TameQp from, Dice dice) {
        long id = ++lastId;
        wr.wrId(id);
        MemoryRegion target = dice.oneIn(30) ? tame.hazards.any(dice, tame.mr) : tame.mr;
        long address = target.address() + target.length() / 2 + 8L * dice.below(64);
        int rkey = dice.oneIn(40) ? dice.of(0, tame.readOnly.rkey(), 77) : target.rkey();
        if (dice.oneIn(60)) {
            address += dice.of(1, 1 << 20);
        }
        int kinds = from.type == QpType.RC ? 7 : from.type == QpType.UC ? 4 : 2;
        int kind = dice.oneIn(50) ? dice.below(7) : dice.below(kinds);
        WcOpcode opcode = WcOpcode.SEND;
        switch (kind) {
            case 0 -> wr.send();
            case 1 -> wr.sendWithImm((int) id);
            case 2 -> wr.rdmaWrite(address, rkey);
            case 3 -> wr.rdmaWriteWithImm(address, rkey, (int) id);
            case 4 -> wr.rdmaRead(address, rkey);
            case 5 -> wr.compareAndSwap(address, rkey, 0, id);
            default -> wr.fetchAndAdd(address, rkey, 1);
        }
        opcode =
                switch (kind) {
                    case 0, 1 -> opcode;
                    case 2, 3 -> WcOpcode.RDMA_WRITE;
                    case 4 -> WcOpcode.RDMA_READ;
                    case 5 -> WcOpcode.COMP_SWAP;
                    default -> WcOpcode.FETCH_ADD;
                };
        boolean signaled = dice.oneIn(2);
        if (signaled) {
            wr.signaled();
        }
        if (dice.oneIn(3)) {
            wr.solicited();
        }
        if (dice.oneIn(5)) {
            wr.fence();
        }
        if (from.type == QpType.UD && kind < 2 && !dice.oneIn(30)) {
            wr.to(tame.addressOf(from.peer), from.peer.qp.qpNum(), Tame.QKEY);
        }
        data(wr, kind, dice);
        return new TameQp.Posted(id, signaled || from.sigAll, opcode);
    }

    private void data(SendWorkRequest wr, int kind, Dice dice) {
        if (kind < 4 && dice.oneIn(5)) {
            wr.inline(MemorySegment.ofArray(new byte[dice.of(0, 1, 64, 65)]));
            return;
        }
        MemoryRegion from = local(dice);
        if (kind >= 5) {
            wr.sge(from, 8L * dice.below(16), dice.oneIn(40) ? 4 : 8);
            return;
        }
        for (int n = dice.below(dice.oneIn(50) ? 5 : 4); n > 0; n--) {
            int length = dice.of(0, 1, 8, 40, 300, 1024, 3000);
            if (dice.oneIn(60)) {
                wr.sge(from.address(), length, 99);
            } else {
                wr.sge(from, dice.below(64), length);
            }
        }
    }

    private MemoryRegion local(Dice dice) {
        return switch (dice.below(60)) {
            case 0 -> tame.readOnly;
            case 1 -> tame.hazards.any(dice, tame.mr);
            default -> tame.mr;
        };
    }

    String receive(Dice dice) {
        TameQp to = dice.of(tame.qps);
        List<TameQp.Posted> chain = new ArrayList<>();
        RecvWorkRequest first = null;
        RecvWorkRequest last = null;
        for (int n = dice.oneIn(3) ? 1 + dice.below(5) : 1; n > 0; n--) {
            RecvWorkRequest wr = RecvWorkRequest.allocate(4).wrId(++lastId);
            chain.add(new TameQp.Posted(lastId, true, WcOpcode.RECV));
            MemoryRegion into = local(dice);
            for (int k = dice.oneIn(30) ? 4 : dice.of(0, 1, 1, 2); k > 0; k--) {
                wr.sge(into, into.length() / 4, dice.of(0, 40, 100, 4096, 4096));
            }
            if (last == null) {
                first = wr;
            } else {
                last.next(wr);
            }
            last = wr;
        }
        int taken = chain.size();
        String end = "";
        QpState before = to.qp.state();
        try {
            to.qp.postRecv(first);
            if (before == QpState.RESET) {
                throw new AssertionError(to + " has taken a receive in RESET");
            }
        } catch (PostException e) {
            taken = e.posted();
            end = ": " + e.getMessage();
            checkRefusal(e, chain.size());
        }
        to.receives.addAll(chain.subList(0, taken));
        return "receive " + chain + " on " + to + end;
    }
}

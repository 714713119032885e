package io.loomverbs.internal.soft;

import static org.openjdk.jcstress.annotations.Expect.*;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.loomverbs.internal.device.CqListener;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.MrOps;
import io.loomverbs.internal.device.MwOps;
import io.loomverbs.internal.device.RecvWr;
import io.loomverbs.internal.device.SendWr;
import io.loomverbs.internal.device.WcStruct;
import io.loomverbs.internal.event.EventQueue;
import io.loomverbs.internal.event.Patience;
import io.loomverbs.internal.event.QueuedCq;
import io.loomverbs.internal.event.Taking;
import io.loomverbs.internal.event.TimedWait;
import io.loomverbs.jcstress.Catches;

import org.openjdk.jcstress.annotations.*;
import org.openjdk.jcstress.infra.results.LL_Result;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;

/** What arrives in registered memory, by plain writes and reads. */
public class PayloadRaces {
    private static final int SLOTS = 16_384;

    private static final int BYTES = 64;
    private static final long OLD = 0;
    private static final long NEW = 0x0123_4567_89ab_cdefL;
    private static final MemorySegment MEMORY =
            Arena.global().allocate((long) SLOTS * 2 * BYTES, 64);
    private static final MrOps MR = RaceQp.PD.regMr(MEMORY, Ibv.ACCESS_LOCAL_WRITE);
    private static final AtomicInteger LAST = new AtomicInteger();
    private static final SendWr SEND = RaceQp.sendOfNothing(1);
    private static final RecvWr RECEIVE = RaceQp.receiveOfNothing(1);

    /** A piece of memory for one message: where it comes from, and where it goes. */
    private static final class Slot {
        final MemorySegment source;
        final MemorySegment target;

        /** With this to be sent. */
        Slot(long word) {
            long at = Math.floorMod(LAST.getAndIncrement(), SLOTS) * 2L * BYTES;
            source = MEMORY.asSlice(at, BYTES);
            target = MEMORY.asSlice(at + BYTES, BYTES);
            fill(source, word);
            fill(target, OLD);
        }
    }

    /** Plain writes, one word after the other. */
    private static void fill(MemorySegment memory, long word) {
        for (long at = 0; at < BYTES; at += Long.BYTES) {
            memory.set(JAVA_LONG, at, word);
        }
    }

    /** Plain reads. */
    private static String payload(MemorySegment memory) {
        int fresh = 0;
        for (long at = 0; at < BYTES; at += Long.BYTES) {
            long word = memory.get(JAVA_LONG, at);
            if (word == NEW) {
                fresh++;
            } else if (word != OLD) {
                return "nonsense";
            }
        }
        return fresh == BYTES / Long.BYTES ? "whole" : fresh == 0 ? "old" : "torn";
    }

    /** Two connected queue pairs; a buffer of the second one is posted. */
    private static final class Wire {
        private final RacePair pair;

        Wire(Slot slot, CqListener received, MrOps mr) {
            RaceQp to = new RaceQp(RaceQp.CONTEXT, RaceQp.PD, RaceQp.DEAF, received, null);
            synchronized (RECEIVE) {
                RECEIVE.sge(0, slot.target.address(), BYTES, mr.lkey());
                RECEIVE.numSge(1);
                to.receive(RECEIVE);
            }
            pair = new RacePair(new RaceQp(), to, 0);
        }

        void send(MemorySegment source) {
            SEND.sge(0, source.address(), BYTES, MR.lkey());
            SEND.numSge(1);
            pair.a.send(SEND);
        }

        boolean poll(MemorySegment wcs) {
            return pair.b.receives.poll(wcs, 0, 1) == 1 && WcStruct.wrId(wcs, 0) == 1;
        }
    }

    /** A message is sent while a virtual thread arms, polls, and waits for it. */
    @JCStressTest
    @Outcome(id = "whole, in time", expect = ACCEPTABLE, desc = "all that was sent is there")
    @Outcome(id = "old, .*", expect = FORBIDDEN, desc = "woken before the message is there")
    @Catches(value = "a message is copied after its completion", as = "old, .*")
    @State
    public static class PayloadWake extends TimedWait {
        private final Slot slot = new Slot(OLD);
        private final EventQueue queue = EventQueue.shared(null);
        private final QueuedCq events = new QueuedCq(queue);
        private final Wire wire = new Wire(slot, SoftFixture.told(events::raise), MR);

        @Actor
        public void send() {
            fill(slot.source, NEW);
            wakes(() -> wire.send(slot.source));
        }

        @Actor
        public void receive(LL_Result r) {
            r.r1 = waitsAsVirtual(this::read);
        }

        private String read() {
            MemorySegment wcs = SoftCqRaces.room();
            wire.pair.b.receives.reqNotify(false);
            if (wire.poll(wcs)) {
                return payload(slot.target);
            }
            String event = Taking.of(() -> queue.take(Patience.nanos()));
            if (!event.equals(Taking.EVENT)) {
                return event;
            }
            return wire.poll(wcs) ? payload(slot.target) : "nothing";
        }

        @Arbiter
        public void result(LL_Result r) {
            r.r2 = inTime();
            wire.pair.end();
        }
    }

    /** Memory is deregistered while a message is copied there. */
    @JCStressTest
    @Outcome(id = "old, old", expect = ACCEPTABLE, desc = "deregistered before it arrived")
    @Outcome(id = "whole, whole", expect = ACCEPTABLE, desc = "arrived before, and it stays")
    @Outcome(id = "old, whole", expect = FORBIDDEN, desc = "it changes after it was deregistered")
    @Catches(value = "a copy looks whether its memory is there, then begins", as = "old, whole")
    @State
    public static class DeregReceive {
        private final Slot slot = new Slot(NEW);
        private final MrOps mr = RaceQp.PD.regMr(slot.target, Ibv.ACCESS_LOCAL_WRITE);
        private final Wire wire = new Wire(slot, RaceQp.DEAF, mr);

        @Actor
        public void send() {
            wire.send(slot.source);
        }

        @Actor
        public void dereg(LL_Result r) {
            mr.dereg();
            r.r1 = payload(slot.target);
        }

        @Arbiter
        public void afterwards(LL_Result r) {
            r.r2 = payload(slot.target);
            wire.pair.end();
        }
    }

    /** A peer writes by the key of a window while that is invalidated, or the window is closed. */
    @JCStressTest
    @Outcome(id = "old, old", expect = ACCEPTABLE, desc = "withdrawn before")
    @Outcome(id = "whole, whole", expect = ACCEPTABLE, desc = "written before")
    @Outcome(id = "(old|torn), whole", expect = FORBIDDEN, desc = "it changes after that")
    @Catches(value = "an invalidation does not wait for a write", as = "(old|torn), whole")
    @State
    public static class WithdrawWrite {
        private static final int OPEN = Ibv.ACCESS_LOCAL_WRITE | Ibv.ACCESS_MW_BIND;

        private final boolean closes = ThreadLocalRandom.current().nextBoolean();
        private final Slot slot = new Slot(NEW);
        private final RacePair pair = new RacePair(0);
        private final MrOps mr = RaceQp.PD.regMr(slot.target, OPEN);
        private final MwOps mw = RaceQp.PD.allocMw(Ibv.MW_TYPE_2);
        private final SendWr write = RaceQp.sendOfNothing(1);
        private final SendWr withdraw = RaceQp.sendOfNothing(2);

        public WithdrawWrite() {
            SendWr bind = new SendWr(1, 0);
            int key = mw.rkey() + 1;
            bind.bind(mw, key, mr, slot.target.address(), BYTES, Ibv.ACCESS_REMOTE_WRITE);
            pair.b.send(bind);
            write.opcode(Ibv.WR_RDMA_WRITE);
            write.rdma(slot.target.address(), key);
            write.sge(0, slot.source.address(), BYTES, MR.lkey());
            write.numSge(1);
            withdraw.opcode(Ibv.WR_LOCAL_INV);
            withdraw.immData(key);
        }

        @Actor
        public void peer() {
            pair.a.send(write);
        }

        @Actor
        public void owner(LL_Result r) {
            if (closes) {
                mw.dealloc();
            } else {
                pair.b.send(withdraw);
                while (!QpRaces.numbers(pair.b.sends).equals("2")) {
                    Thread.onSpinWait();
                }
            }
            r.r1 = payload(slot.target);
        }

        @Arbiter
        public void afterwards(LL_Result r) {
            r.r2 = payload(slot.target);
            mw.dealloc();
            mr.dereg();
            pair.end();
        }
    }
}

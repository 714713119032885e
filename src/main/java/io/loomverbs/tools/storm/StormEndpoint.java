package io.loomverbs.tools.storm;

import io.loomverbs.ClosedException;
import io.loomverbs.CompletionChannel;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.MemoryRegion;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.VerbsException;
import io.loomverbs.WaitStrategy;
import io.loomverbs.WcOpcode;
import io.loomverbs.WcStatus;
import io.loomverbs.WorkCompletions;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.util.concurrent.locks.ReentrantLock;

/**
 * One CQ of a storm with its end of a connection, from its creation to its destruction.
 *
 * <p>Everything that changes is guarded by a lock: on a shared channel any handler may be given an
 * event of this CQ while another is still serving an earlier one.
 */
final class StormEndpoint {
    /** A send queue forgets a request only after a later one that is signalled has completed. */
    private static final int SIGNAL_EVERY = 8;

    /** Rounds of serving after which others get a turn. */
    private static final int ROUNDS = 16;

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    final int index;
    private final int incarnation;
    private final StormPlan plan;
    private final StormState state;
    private final MemoryRegion memory;
    private final long base;
    private final CompletionQueue cq;
    private final ReentrantLock lock = new ReentrantLock();
    private final SequenceWindow received = new SequenceWindow();
    private @Nullable QueuePair qp;
    private @Nullable StormEndpoint peer;
    private long sent;
    private int nextSlot;

    /** When it was served last, or connected. */
    private long servedNanos;

    /** Set before the queue pair is closed, so that a handler knows why its calls fail. */
    private volatile boolean dying;

    StormEndpoint(
            int index,
            int incarnation,
            StormPlan plan,
            StormState state,
            Context context,
            @Nullable CompletionChannel channel,
            MemoryRegion memory) {
        this.index = index;
        this.incarnation = incarnation;
        this.plan = plan;
        this.state = state;
        this.memory = memory;
        this.base = (long) index * bytesOfStation(plan);
        int cqe = 4 * plan.window() + 2 * SIGNAL_EVERY;
        int vector = index % context.numCompVectors();
        WaitStrategy strategy = plan.strategy() == null ? WaitStrategy.EVENTS : plan.strategy();
        this.cq =
                channel == null
                        ? context.createDirectCq(cqe, this, null, vector, strategy)
                        : context.createCq(cqe, this, channel, vector);
    }

    /** Half of it receives, half of it sends. */
    static long bytesOfStation(StormPlan plan) {
        return 2L * plan.window() * plan.messageBytes();
    }

    CompletionQueue cq() {
        return cq;
    }

    void createQp(ProtectionDomain pd) {
        int depth = 2 * plan.window() + 2 * SIGNAL_EVERY;
        qp = pd.createQp(QpConfig.of(QpType.RC, cq).withWr(depth, depth));
    }

    /** Connects to the other end, which may be this one, and makes room for its messages. */
    void connect(StormEndpoint other, StormScratch scratch) {
        lock.lock();
        try {
            peer = other;
            servedNanos = System.nanoTime();
            requireQp().connect(other.requireQp().endpoint());
            for (int i = 0; i < plan.window(); i++) {
                postRecv(scratch, i);
            }
        } finally {
            lock.unlock();
        }
    }

    private QueuePair requireQp() {
        if (qp == null) {
            throw new IllegalStateException("endpoint " + index + " has no queue pair yet");
        }
        return qp;
    }

    /** Sends the first messages; each goes back and forth from then on. */
    void kickOff(StormScratch scratch) {
        lock.lock();
        try {
            for (int i = 0; i < plan.window(); i++) {
                send(scratch);
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * Arms the CQ and handles what has come, until it is empty. Ends quietly if the endpoint goes.
     * An end that is its own peer may never be empty, so what comes first counts as work.
     */
    @SuppressWarnings("ThreadPriorityCheck") // fairness only
    void serve(int handler, StormScratch scratch) {
        lock.lock();
        try {
            long now = System.nanoTime();
            if (!state.stopping()) {
                gapUntil(now);
            }
            cq.reqNotify(false);
            for (int round = 1; cq.poll(scratch.batch) > 0; round++) {
                if (round == 1) {
                    state.tally().work(handler, index);
                }
                for (int i = 0; i < scratch.batch.size(); i++) {
                    handle(scratch.batch, scratch, i, round == 1 && i == 0 ? now : 0);
                }
                if (round % ROUNDS == 0) {
                    Thread.yield();
                }
            }
        } catch (ClosedException | VerbsException e) {
            if (!dying) {
                state.failures().add("serving " + cq, e);
            }
        } finally {
            lock.unlock();
        }
    }

    /** Handles what a wait has found. Ends quietly if the endpoint goes. */
    void serveAwaited(WorkCompletions found, StormScratch scratch) {
        lock.lock();
        try {
            if (dying) {
                return; // what was found is dropped: the memory may be another endpoint's
            }
            long now = System.nanoTime();
            if (!state.stopping()) {
                gapUntil(now);
            }
            for (int i = 0; i < found.size(); i++) {
                handle(found, scratch, i, i == 0 ? now : 0);
            }
        } catch (ClosedException | VerbsException e) {
            if (!dying) {
                state.failures().add("serving " + cq, e);
            }
        } finally {
            lock.unlock();
        }
    }

    /** This CQ is being served now, or has waited until now in vain. */
    private void gapUntil(long now) {
        long steadySince = state.tally().steadySince();
        if (steadySince != 0) {
            state.tally().gap(index, now - Math.max(steadySince, servedNanos));
        }
        servedNanos = now;
    }

    /** No more messages are sent. */
    void stop(long now) {
        lock.lock();
        try {
            gapUntil(now);
        } finally {
            lock.unlock();
        }
    }

    private void handle(WorkCompletions batch, StormScratch scratch, int i, long wokenAtNanos) {
        if (batch.status(i) != WcStatus.SUCCESS) {
            if (!dying) {
                state.failures()
                        .add(
                                "a work request of " + cq,
                                new IllegalStateException(batch.get(i).toString()));
            }
            return;
        }
        if (batch.opcode(i) != WcOpcode.RECV) {
            return;
        }
        int slot = (int) batch.wrId(i);
        long at = base + (long) slot * plan.messageBytes();
        if (wokenAtNanos != 0) {
            long sentNanos = StormMessage.sentNanos(memory.memory(), at);
            scratch.woken(wokenAtNanos - sentNanos, state.tally().steadySince() != 0);
        }
        verify(at, batch.byteLen(i));
        state.tally().messages.increment();
        postRecv(scratch, slot);
        if (!state.stopping()) {
            send(scratch);
        }
    }

    private void verify(long at, int bytes) {
        StormEndpoint from = peer;
        boolean whole =
                from != null
                        && bytes == plan.messageBytes()
                        && StormMessage.isIntact(memory.memory(), at, bytes)
                        && StormMessage.sender(memory.memory(), at) == from.index
                        && StormMessage.incarnation(memory.memory(), at) == from.incarnation;
        if (!whole) {
            state.tally().corrupted.increment();
            return;
        }
        switch (received.accept(StormMessage.sequence(memory.memory(), at))) {
            case IN_ORDER -> {}
            case OUT_OF_ORDER -> state.tally().corrupted.increment();
            case DUPLICATE -> state.tally().duplicated.increment();
        }
    }

    private void postRecv(StormScratch scratch, int slot) {
        long at = base + (long) slot * plan.messageBytes();
        requireQp().postRecv(scratch.recv.clear().wrId(slot).sge(memory, at, plan.messageBytes()));
    }

    /*
     * The place of the message before the last `window` ones is free: no more than `window` messages
     * circulate, this end holds one of them now, and they arrive in order.
     */
    private void send(StormScratch scratch) {
        long at = base + (long) (plan.window() + nextSlot) * plan.messageBytes();
        nextSlot = (nextSlot + 1) % plan.window();
        long sequence = sent + 1;
        StormMessage.write(
                memory.memory(),
                at,
                plan.messageBytes(),
                index,
                incarnation,
                sequence,
                System.nanoTime());
        scratch.send.clear().wrId(sequence).send().sge(memory, at, plan.messageBytes());
        if (sequence % SIGNAL_EVERY == 0) {
            scratch.send.signaled();
        }
        requireQp().postSend(scratch.send);
        sent = sequence;
    }

    /** How many messages are on the way to the peer, or have got lost. */
    long underWay() {
        StormEndpoint to = peer;
        if (to == null) {
            return 0;
        }
        // What was received is read first: what was sent by then can only have grown since.
        long arrived = to.receivedCount();
        lock.lock();
        try {
            return sent - arrived;
        } finally {
            lock.unlock();
        }
    }

    private long receivedCount() {
        lock.lock();
        try {
            return received.count();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Says that calls may fail from now on, because this endpoint is being destroyed.
     *
     * <p>The close of the CQ waits for a handler that holds an event, but not for one that has
     * awaited completions: its event is acknowledged already. The memory is the next endpoint's, so
     * this waits until such a handler has released it.
     */
    void die() {
        if (plan.strategy() == null) {
            dying = true;
            return;
        }
        lock.lock();
        try {
            dying = true;
        } finally {
            lock.unlock();
        }
    }

    void closeQp() {
        if (qp != null) {
            qp.close();
        }
    }

    /**
     * Closes the CQ under whatever goes on; a close that does not end is a failure that names it.
     */
    void closeCq() {
        cq.close(PATIENCE);
    }
}

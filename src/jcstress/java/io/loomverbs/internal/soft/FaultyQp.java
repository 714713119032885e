package io.loomverbs.internal.soft;

import io.loomverbs.internal.device.CqListener;
import io.loomverbs.internal.device.Ibv;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * {@link SoftQp} with its {@link SendQueue} and {@link RecvQueue}, as far as the races need them,
 * connected to itself, with one fault.
 */
final class FaultyQp {
    /** What is wrong. */
    enum Fault {
        /** The runner leaves with a write, whatever signal came meanwhile. */
        SIGNAL_LOST,
        /** Who signals looks whether somebody runs the queue, then runs it. */
        TWO_RUNNERS,
        /** The state is looked at before a receive request is there, and not after. */
        STATE_LOOKED_AT_FIRST,
        /** Receive requests are put into their ring without its lock. */
        RECEIVES_UNLOCKED,
        /** A sender that finds no buffer remembers that, without a second look. */
        NO_SECOND_LOOK,
        /** The queue pair is destroyed while requests are carried out. */
        DESTROY_UNLOCKED,
        /** The state is looked at before a send request is put into the ring, without its lock. */
        SEND_STATE_LOOKED_AT_FIRST,
        /** That the peer is ready is forgotten after an attempt, not before it. */
        KICK_FORGOTTEN
    }

    private static final int IDLE = 0;
    private static final int RUNNING = 1;
    private static final int AGAIN = 2;

    private static final CqListener DEAF =
            new CqListener() {
                @Override
                public void completionEvent() {}

                @Override
                public void asyncEvent(int type) {}
            };

    private static final SoftDevice DEVICE = new SoftDevice(SoftLimits.GENEROUS);

    private final Fault fault;
    final SoftCq sends = new SoftCq(DEVICE, 8, null, DEAF);
    final SoftCq receives = new SoftCq(DEVICE, 8, null, DEAF);
    private final Queue<Long> sendQueue = new ConcurrentLinkedQueue<>();
    private final Queue<Long> recvQueue = new ConcurrentLinkedQueue<>();
    private final AtomicInteger turn = new AtomicInteger(IDLE);
    private volatile int state = Ibv.QPS_RTS;
    private volatile boolean destroyed;
    private volatile boolean starved;
    private volatile boolean kicked;
    private boolean stalled;
    private final long[] ring = new long[4];
    private int tail;

    FaultyQp(Fault fault) {
        this.fault = fault;
    }

    boolean send(long wrId) {
        if (destroyed) {
            return false;
        }
        if (fault == Fault.SEND_STATE_LOOKED_AT_FIRST) {
            if (state < Ibv.QPS_RTS) {
                return false;
            }
            pause();
        }
        sendQueue.add(wrId);
        signal();
        return true;
    }

    boolean receive(long wrId) {
        int seen = state;
        pause();
        if (fault == Fault.RECEIVES_UNLOCKED) {
            int at = tail;
            ring[at] = wrId;
            pause();
            tail = at + 1;
            return true;
        }
        recvQueue.add(wrId);
        if (starved) {
            starved = false;
            kicked = true;
            signal();
        }
        if ((fault == Fault.STATE_LOOKED_AT_FIRST ? seen : state) == Ibv.QPS_ERR) {
            flushReceives();
        }
        return true;
    }

    void fail() {
        synchronized (this) {
            state = Ibv.QPS_ERR;
        }
        flushReceives();
        signal();
    }

    void destroy() {
        if (fault == Fault.DESTROY_UNLOCKED) {
            destroyed = true;
            sendQueue.clear();
            return;
        }
        synchronized (this) {
            destroyed = true;
            sendQueue.clear();
        }
    }

    void end() {
        destroy();
    }

    synchronized void reset() {
        state = Ibv.QPS_RESET;
        sendQueue.clear();
    }

    /** From RESET to RTS. */
    void connectAgain() {
        state = Ibv.QPS_RTS;
        signal();
    }

    private void signal() {
        if (fault == Fault.TWO_RUNNERS) {
            int before = turn.get();
            pause();
            turn.set(AGAIN);
            if (before == IDLE) {
                run();
            }
        } else if (turn.getAndSet(AGAIN) == IDLE) {
            run();
        }
    }

    private void run() {
        do {
            turn.set(RUNNING);
            boolean more = true;
            while (more) {
                more = isLocked() ? workLocked() : work();
            }
            if (fault == Fault.SIGNAL_LOST) {
                pause();
                turn.set(IDLE);
                return;
            }
        } while (!turn.compareAndSet(RUNNING, IDLE));
    }

    private boolean isLocked() {
        return fault != Fault.TWO_RUNNERS && fault != Fault.DESTROY_UNLOCKED;
    }

    private synchronized boolean workLocked() {
        return work();
    }

    private boolean work() {
        Long wrId = sendQueue.peek();
        if (wrId == null) {
            return false;
        }
        if (state < Ibv.QPS_RTS) {
            return false;
        }
        if (state == Ibv.QPS_ERR) {
            add(sends, wrId, Ibv.WC_WR_FLUSH_ERR);
            sendQueue.poll();
            return true;
        }
        if (fault == Fault.KICK_FORGOTTEN && stalled && !kicked) {
            return false;
        }
        Long buffer = recvQueue.peek();
        if (buffer == null) {
            pause();
            starved = true;
            buffer = fault == Fault.NO_SECOND_LOOK ? null : recvQueue.peek();
            if (buffer == null) {
                stalled = true;
                pause();
                kicked = false;
                return false;
            }
        }
        pause();
        recvQueue.poll();
        add(receives, buffer, Ibv.WC_SUCCESS);
        add(sends, wrId, Ibv.WC_SUCCESS);
        sendQueue.poll();
        return true;
    }

    private synchronized void flushReceives() {
        for (int i = 0; i < tail; i++) {
            recvQueue.add(ring[i]);
        }
        for (Long wrId = recvQueue.poll(); wrId != null; wrId = recvQueue.poll()) {
            add(receives, wrId, Ibv.WC_WR_FLUSH_ERR);
        }
    }

    private static void add(SoftCq cq, long wrId, int status) {
        cq.add(wrId, status, Ibv.WC_SEND, 0, 0, 0, 0, 0, 0, false);
    }

    /** Shows the fault more often than it would show by itself. */
    private static void pause() {
        for (int i = 0; i < 300; i++) {
            Thread.onSpinWait();
        }
    }
}

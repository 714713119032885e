package io.loomverbs.internal.soft;

import io.loomverbs.internal.device.CqListener;
import io.loomverbs.internal.device.CqOps;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.WcStruct;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * A completion queue.
 *
 * <p>A completion that finds the queue full, or no memory to grow, is dropped, and so is every
 * later one: the queue has overrun. It then reports {@code CQ_ERR} once and takes its queue pairs
 * into the error state. The completions that it held before can still be polled; after that {@link
 * #poll} returns {@code -EIO}.
 */
@SuppressWarnings("serial") // see Mutex
final class SoftCq extends Mutex implements CqOps {
    /** Results of {@link #add}; the caller notifies the listener when it holds no lock any more. */
    static final int FIRED = 1;

    static final int OVERRUN = 2;
    static final int DROPPED = 3;

    /** Made in advance, for the lack of memory. */
    private static final Runnable NOTHING = SoftCq::nothing;

    private static final int NOT_ARMED = 0;
    private static final int ARMED_SOLICITED = 1;
    private static final int ARMED_ALL = 2;

    private final SoftContext context;

    /** The neighbours in the list of the context, which uses them. */
    @Nullable SoftCq previous;

    @Nullable SoftCq next;

    private final @Nullable SoftChannel channel;
    final CqListener events;

    /** Null until the first completion. Written under the lock. */
    private volatile @Nullable CqRing ring;

    /** The action for each completion when it is polled; only on a strict device. */
    private final @Nullable ArrayDeque<Runnable> whenPolled;

    /** Final once set. Written under the lock. */
    private volatile boolean overrun;

    /** Written under the lock. */
    private volatile int cqe;

    private int arm;

    /** How many completions the CQ has to hold, if it is armed for all. Under the lock. */
    private int armedFor = 1;

    /** The counts. Under the lock. */
    private long polled;

    private long arms;
    private long fired;

    /** Null if events are raised at once. Under the lock. */
    private @Nullable Moderation moderation;

    /**
     * The next CQ whose overrun was not reported yet. Used by the thread that reports it, which
     * happens once.
     */
    @Nullable SoftCq nextOverrun;

    /** How many queues (send or receive) of QPs complete here; -1 when destroyed. */
    private int users;

    /** When each completion was added, of an extended CQ. Under the lock. */
    private final @Nullable LongFifo stamps;

    SoftCq(SoftContext context, int cqe, @Nullable SoftChannel channel, CqListener events) {
        this(context, cqe, channel, events, false);
    }

    /**
     * @param stamped whether completions are polled with the time when they were added
     */
    SoftCq(
            SoftContext context,
            int cqe,
            @Nullable SoftChannel channel,
            CqListener events,
            boolean stamped) {
        this.context = context;
        this.stamps = stamped ? new LongFifo() : null;
        this.cqe = cqe;
        this.channel = channel;
        this.events = events;
        this.whenPolled = context.device.strict ? new ArrayDeque<>() : null;
    }

    @Override
    public int cqe() {
        return cqe;
    }

    /**
     * Adds a completion: 0, {@link #FIRED} or {@link #OVERRUN}; or {@link #DROPPED} if a queue that
     * had overrun before is still used as if nothing had happened.
     */
    int add(SoftWc wc) {
        lock();
        try {
            if (overrun) {
                return wc.status == Ibv.WC_SUCCESS ? DROPPED : 0;
            }
            CqRing r = ring;
            try {
                if (r == null) {
                    r = new CqRing();
                    ring = r;
                }
                if (r.size() == cqe) {
                    overrun = true;
                    return OVERRUN;
                }
                r.makeRoom();
                if (stamps != null) {
                    stamps.reserve();
                }
                if (whenPolled != null) {
                    whenPolled.add(wc.polled == null ? NOTHING : wc.polled);
                }
            } catch (VirtualMachineError e) {
                // No memory. A thread may wait for this very completion: only the end can be
                // reported to it.
                overrun = true;
                return OVERRUN;
            }
            r.add(wc);
            if (stamps != null) {
                stamps.add(System.nanoTime());
            }
            // Moderation counts for itself, from the first completion after the arm on.
            if ((arm == ARMED_ALL && (moderation != null || r.size() >= armedFor))
                    || (arm == ARMED_SOLICITED && (wc.solicited || wc.status != Ibv.WC_SUCCESS))) {
                Moderation delay = moderation;
                if (delay == null || delay.isDueWithOneMore()) {
                    arm = NOT_ARMED;
                    fired++;
                    return FIRED;
                }
            }
            return 0;
        } finally {
            unlock();
        }
    }

    /*
     * The look without the lock keeps pollers of an empty queue away from it. It cannot miss a
     * completion that a caller of reqNotify must see: that call took the lock after the completion
     * was added.
     */
    @Override
    public int poll(MemorySegment wcs, long at, int max) {
        CqRing r = ring;
        if (!overrun && (r == null || r.size() == 0)) {
            return 0;
        }
        this.lock();
        try {
            return take(wcs, at, max);
        } finally {
            this.unlock();
        }
    }

    /** Under the lock. */
    private int take(MemorySegment wcs, long at, int max) {
        int n = ring == null ? 0 : ring.take(wcs, at, max);
        for (int i = 0; whenPolled != null && i < n; i++) {
            whenPolled.remove().run();
        }
        polled += n;
        return n == 0 && overrun && max > 0 ? -Errno.EIO : n;
    }

    @Override
    public int pollEx(MemorySegment wcs, long at, int max, long[] extras) {
        LongFifo times = stamps;
        if (times == null) {
            return -Errno.EOPNOTSUPP;
        }
        CqRing r = ring;
        if (!overrun && (r == null || r.size() == 0)) {
            return 0;
        }
        this.lock();
        try {
            int n = take(wcs, at, max);
            for (int i = 0; i < n; i++) {
                long where = at + (long) i * WcStruct.BYTES;
                context.device.clock.put(extras, wcs, where, times.remove());
            }
            return n;
        } finally {
            this.unlock();
        }
    }

    @Override
    public int reqNotify(boolean solicitedOnly) {
        lock();
        try {
            if (users < 0) {
                return -Errno.EINVAL;
            }
            arm = Math.max(arm, solicitedOnly ? ARMED_SOLICITED : ARMED_ALL);
            armedFor = 1;
            arms++;
            return 0;
        } finally {
            unlock();
        }
    }

    /**
     * A queue that is armed for any or for solicited completions stays armed for the next one: the
     * thread that has armed it may wait for just that.
     */
    @Override
    public int reqNotifyAt(int completions) {
        lock();
        try {
            if (users < 0) {
                return -Errno.EINVAL;
            }
            if (arm == NOT_ARMED) {
                armedFor = completions;
            } else if (arm == ARMED_SOLICITED) {
                armedFor = 1;
            } else {
                armedFor = Math.min(armedFor, completions);
            }
            arm = ARMED_ALL;
            arms++;
            return 0;
        } finally {
            unlock();
        }
    }

    /** Not in the strict mode, where a thread that does not poll keeps others from posting. */
    @Override
    public boolean countsCompletions() {
        return whenPolled == null;
    }

    @Override
    public void lowerArm() {
        fireIfDue(1);
    }

    /**
     * Raises the event if a lower arm is used up by what is held, or a delayed one that is due.
     * Allocates nothing: an Error would lose it. Holds no lock.
     *
     * @param completions 0 for a delayed event
     */
    private void fireIfDue(int completions) {
        boolean due;
        lock();
        try {
            due = completions == 0 ? isEventDue() : isDueAt(completions);
        } finally {
            unlock();
        }
        if (due) {
            DeferredNotifications.fire(this);
        }
    }

    /** Whether the held completions use up a lower arm. Under the lock. */
    private boolean isDueAt(int completions) {
        boolean high = arm == ARMED_ALL && armedFor > completions && moderation == null;
        armedFor = Math.min(armedFor, completions);
        return high && ring != null && ring.size() >= completions && useArm();
    }

    /** Under the lock. */
    private boolean useArm() {
        arm = NOT_ARMED;
        fired++;
        return true;
    }

    @Override
    public int resize(int wanted) {
        if (context.faults.isDeviceLost()) {
            return -Errno.EIO;
        }
        int rc = changeSize(wanted);
        if (rc == 0) {
            fireIfDue(Math.max(1, wanted / 2));
        }
        return rc;
    }

    private int changeSize(int wanted) {
        lock();
        try {
            if (users < 0
                    || overrun
                    || wanted < (ring == null ? 1 : Math.max(1, ring.size()))
                    || wanted > context.device.limits.maxCqe()) {
                return -Errno.EINVAL;
            }
            cqe = wanted;
            return 0;
        } finally {
            unlock();
        }
    }

    @Override
    public int moderate(int count, int periodMicros) {
        if (context.faults.isDeviceLost()) {
            return -Errno.EIO;
        }
        // First: there may be no memory for it.
        Moderation wanted =
                count == 0 && periodMicros == 0
                        ? null
                        : new Moderation(
                                count,
                                TimeUnit.MICROSECONDS.toNanos(periodMicros),
                                context.device.timer,
                                () -> fireIfDue(0));
        boolean due;
        lock();
        try {
            if (users < 0) {
                return -Errno.EINVAL;
            }
            due = isEventDue();
            moderation = wanted;
        } finally {
            unlock();
        }
        if (due) {
            DeferredNotifications.fire(this);
        }
        return 0;
    }

    /** Whether a delayed event is to be raised now. Under the lock. */
    private boolean isEventDue() {
        return moderation != null && moderation.end() && arm != NOT_ARMED && useArm();
    }

    @Override
    public long polled() {
        return locked(() -> polled);
    }

    @Override
    public long arms() {
        return locked(() -> arms);
    }

    @Override
    public long events() {
        return locked(() -> fired);
    }

    private long locked(LongSupplier read) {
        lock();
        try {
            return read.getAsLong();
        } finally {
            unlock();
        }
    }

    private static void nothing() {}

    /** Drops the completions of a queue pair. A strict device does that when it is reset. */
    void forget(int qpNum) {
        lock();
        try {
            CqRing r = ring;
            ArrayDeque<Runnable> polled = whenPolled;
            if (r == null || polled == null) {
                return;
            }
            for (int i = r.size(); i > 0; i--) {
                Runnable first = polled.remove();
                long time = stamps == null ? 0 : stamps.remove();
                if (r.dropOrRotate(qpNum)) {
                    polled.add(first);
                    if (stamps != null) {
                        stamps.add(time);
                    }
                } else {
                    first.run();
                }
            }
        } finally {
            unlock();
        }
    }

    /** A queue of a QP will complete here: false if the CQ was destroyed. */
    boolean addUser() {
        lock();
        try {
            if (users < 0) {
                return false;
            }
            users++;
            return true;
        } finally {
            unlock();
        }
    }

    void removeUser() {
        lock();
        try {
            users--;
        } finally {
            unlock();
        }
    }

    @Override
    public boolean isDestroyed() {
        this.lock();
        try {
            return users < 0;
        } finally {
            this.unlock();
        }
    }

    @Override
    public int destroy() {
        this.lock();
        try {
            if (users != 0) {
                return users < 0 ? -Errno.EINVAL : -Errno.EBUSY;
            }
            users = -1;
            ring = null;
            if (moderation != null) {
                moderation.end();
            }
        } finally {
            this.unlock();
        }
        context.cqs.remove(this);
        context.device.cqs.give();
        if (channel != null) {
            channel.users.remove();
        }
        return 0;
    }

    /** Overruns, as if it had been full and got one more. Holds no lock. */
    int overrunNow() {
        lock();
        try {
            if (users < 0) {
                return -Errno.EINVAL;
            }
            if (overrun) {
                return 0;
            }
            overrun = true;
        } finally {
            unlock();
        }
        tellOverrun();
        failUsers();
        return 0;
    }

    /** Holds no lock. */
    void tellOverrun() {
        events.asyncEvent(Ibv.EVENT_CQ_ERR);
    }

    /** The device is gone: completions in the queue can be polled, and no more come. */
    void lose() {
        lock();
        try {
            overrun = true;
            if (moderation != null) {
                moderation.end();
            }
        } finally {
            unlock();
        }
        events.deviceLost();
    }

    /** Takes the QPs of a queue that has overrun into the error state. Holds no lock. */
    void failUsers() {
        context.device.qps.forEach(
                qp -> {
                    if (qp.completesOn(this)) {
                        qp.fail(Ibv.EVENT_QP_FATAL);
                    }
                });
    }
}

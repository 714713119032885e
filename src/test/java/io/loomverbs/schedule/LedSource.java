package io.loomverbs.schedule;

import static io.loomverbs.schedule.Schedule.check;

import io.loomverbs.internal.device.ChannelOps;
import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.event.Carriers;
import io.loomverbs.internal.event.EventFeed;
import io.loomverbs.internal.event.EventSource;
import io.loomverbs.internal.event.Leadership;
import io.loomverbs.internal.event.LedQueue;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * Stands for the kernel in schedules: its channels keep events until a thread fetches them, and a
 * thread that waits in it sees neither an unpark nor an interrupt. As with epoll, the leader is
 * told of a channel as long as it has an event and a thread waits for it.
 */
final class LedSource implements EventSource, Carriers {
    private final Leadership leadership = new Leadership(this, this, "scripted-poller");
    private final List<Channel> channels = new ArrayList<>();
    private Thread inside;
    private boolean woken;
    private DeviceException failure;

    /** Whether a carrier was taken and not given back. */
    private boolean lent;

    /** How many times a leader may have one before that is refused. */
    int carriers = Integer.MAX_VALUE;

    /** How many times a leader is told to wait until its carrier serves others. */
    int unready;

    /** The thread that has borrowed a carrier which does not serve others yet. */
    private Thread tooEarly;

    Channel channel() {
        Channel channel = new Channel();
        channels.add(channel);
        return channel;
    }

    /** Where events of several CQs lie. */
    final class Channel implements ChannelOps, EventFeed {
        private final ArrayDeque<Runnable> events = new ArrayDeque<>();
        private final List<LedQueue> queues = new ArrayList<>();
        private DeviceException broken;
        private int waiting;

        /** An event comes up. */
        void add(Runnable raise) {
            events.add(raise);
            changed();
        }

        /** Every thread that uses this channel, now or later, gets its failure. */
        void fail() {
            broken = new DeviceException(Errno.EIO, "the channel has failed");
            List.copyOf(queues).forEach(queue -> queue.end(broken));
        }

        @Override
        public boolean fetch() {
            SchedulePoint.point();
            Runnable raise = broken == null ? events.poll() : null;
            if (raise != null) {
                raise.run();
            }
            return raise != null;
        }

        @Override
        public int destroy() {
            SchedulePoint.point();
            events.clear();
            return 0;
        }

        @Override
        public EventFeed feed() {
            return this;
        }

        @Override
        public Leadership leadership() {
            return leadership;
        }

        @Override
        public void attach(LedQueue queue) {
            queues.add(queue);
            if (broken != null) {
                queue.end(broken);
            }
        }

        @Override
        public void detach(LedQueue queue) {
            queues.remove(queue);
        }

        @Override
        public void join() {
            SchedulePoint.point();
            waiting++;
            changed();
        }

        @Override
        public void leave() {
            SchedulePoint.point();
            waiting--;
        }

        private boolean isReady() {
            return waiting > 0 && broken == null && !events.isEmpty();
        }
    }

    List<Channel> channels() {
        return List.copyOf(channels);
    }

    /** Everything fails: waits throw from now on. */
    void fail() {
        failure = new DeviceException(Errno.EIO, "epoll_wait");
        changed();
    }

    /** No thread waits any more. */
    void end() {
        leadership.end();
    }

    private void changed() {
        if (inside != null) {
            LockSupport.unpark(inside);
        }
    }

    @Override
    public int await(long nanos, Leader leader) {
        check(inside == null, "two threads lead");
        check(nanos == 0 || tooEarly != Thread.currentThread(), "blocks the only carrier");
        inside = Thread.currentThread();
        boolean interrupted = false;
        try {
            long start = SchedulePoint.nanoTime();
            SchedulePoint.point();
            while (failure == null && !woken && channels.stream().noneMatch(Channel::isReady)) {
                long left = nanos - (SchedulePoint.nanoTime() - start);
                if (left <= 0) {
                    break;
                }
                interrupted |= Thread.interrupted(); // the kernel does not care
                if (nanos == Long.MAX_VALUE) {
                    SchedulePoint.park(this);
                } else {
                    SchedulePoint.parkNanos(this, left);
                }
            }
            if (failure != null) {
                throw failure;
            }
            woken = false;
        } finally {
            inside = null;
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
        int raised = 0;
        for (Channel channel : List.copyOf(channels)) {
            while (leader.goesOn() && channel.isReady() && channel.fetch()) {
                raised++;
            }
        }
        return raised;
    }

    /** No scheduling point: an interrupt calls this, and holds a lock of the thread meanwhile. */
    @Override
    public void wake() {
        woken = true;
        changed();
    }

    @Override
    public Loan ask(Borrower borrower) {
        SchedulePoint.spin();
        lent = true;
        if (carriers == 0) {
            return Loan.REFUSED;
        }
        carriers--;
        if (unready > 0) {
            unready--;
            tooEarly = Thread.currentThread();
            return Loan.COMING;
        }
        tooEarly = null;
        return Loan.SERVING;
    }

    @Override
    public void giveBack() {
        lent = false;
    }

    /** When all threads are gone. */
    void checkLeft() {
        check(inside == null, "a thread is still in the kernel");
        check(!lent, "a carrier was not given back");
        channels.forEach(c -> check(c.waiting == 0, c.waiting + " waiters are counted still"));
    }
}

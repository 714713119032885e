package io.loomverbs.schedule;

import static io.loomverbs.schedule.Schedule.check;

import io.loomverbs.AddressHandle;
import io.loomverbs.AhAttributes;
import io.loomverbs.ClosedException;
import io.loomverbs.CompletionChannel;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.FailurePolicy;
import io.loomverbs.Opened;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.Serving;
import io.loomverbs.WorkCompletions;
import io.loomverbs.internal.soft.FreshDevice;

import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * A handler of one CQ or of the CQs of a channel, run by one thread or several. Others post, and
 * end it in one of several ways. Each completion is handled once or left, and those of one CQ one
 * after the other; a stop leaves nothing of what had arrived.
 */
final class ServingScenario implements Scenario {
    private static final int QKEY = 1;
    private static final int MOST = 16;

    /** How serving ends. */
    private enum End {
        /** The handler stops it when it has handled everything, so that nothing may be left. */
        ALL_HANDLED,
        STOP,
        STOP_IN_TIME,
        INTERRUPT
    }

    @Override
    public void play(Schedule schedule) {
        new Play(schedule).run();
    }

    /** A CQ with its queue pair. */
    private static final class Queue {
        final CompletionQueue cq;
        final QueuePair qp;
        final BitSet handled = new BitSet();
        boolean isHandled;
        int posted;

        Queue(CompletionQueue cq, QueuePair qp) {
            this.cq = cq;
            this.qp = qp;
        }
    }

    private static final class Play {
        private final Schedule schedule;
        private final Context context = Opened.open(FreshDevice.create());
        private final ProtectionDomain pd = context.allocPd();
        private final AddressHandle self = pd.createAh(AhAttributes.of(context.gid(1, 0), 0));
        private final List<Queue> queues = new ArrayList<>();
        private final List<Thread> servers = new ArrayList<>();
        private final CompletionChannel channel;
        private final Serving serving;
        private final End end;
        private int expected;
        private int served;
        private boolean drained;

        @SuppressWarnings("EnumOrdinal") // any of them
        Play(Schedule schedule) {
            this.schedule = schedule;
            end = End.values()[schedule.between(0, End.values().length - 1)];
            channel = schedule.oneIn(3) ? null : context.createCompChannel();
            add();
            serving =
                    channel == null
                            ? Serving.of(first().cq, this::handle, FailurePolicy.REPORT)
                            : Serving.of(channel, this::handle, FailurePolicy.REPORT);
        }

        private Queue first() {
            return queues.getFirst();
        }

        private Queue add() {
            CompletionQueue cq =
                    channel == null
                            ? context.createDirectCq(MOST)
                            : context.createCq(MOST, null, channel, 0);
            QueuePair qp = pd.createQp(QpConfig.of(QpType.UD, cq));
            qp.activate(QKEY);
            Queue added = new Queue(cq, qp);
            queues.add(added);
            return added;
        }

        void run() {
            int own = schedule.between(1, 4);
            int others = channel != null && schedule.oneIn(2) ? schedule.between(1, 2) : 0;
            expected = own + others;
            schedule.thread("poster", () -> post(first(), own));
            if (others > 0) {
                schedule.thread("creator", () -> post(add(), others));
            }
            for (int n = channel == null ? 1 : schedule.between(1, 3); n > 0; n--) {
                servers.add(schedule.thread("server " + n, this::serve));
            }
            switch (end) {
                case ALL_HANDLED -> {}
                case STOP -> schedule.thread("stopper", this::stop);
                case STOP_IN_TIME ->
                        schedule.thread("stopper", () -> serving.stop(schedule.timeout()));
                case INTERRUPT ->
                        schedule.thread("interrupter", () -> servers.forEach(Thread::interrupt));
            }
            schedule.run();
            check(end != End.STOP || drained || served == 0, "a stop has not drained");
            int handled = handledNow();
            check(end != End.ALL_HANDLED || handled == expected, handled + " of " + expected);
            queues.forEach(this::close);
            if (channel != null) {
                channel.close();
            }
            self.close();
            pd.close();
            context.close();
        }

        private int handledNow() {
            return queues.stream().mapToInt(queue -> queue.handled.cardinality()).sum();
        }

        private void serve() {
            try {
                serving.run();
                served++;
            } catch (ClosedException e) {
                check(end != End.INTERRUPT, "nobody has stopped it");
            }
        }

        private void stop() throws InterruptedException {
            schedule.pause();
            int[] before = queues.stream().mapToInt(queue -> queue.posted).toArray();
            serving.close(); // without a limit: time may pass at any speed
            drained = serving.stop(Duration.ZERO);
            for (int i = 0; drained && i < before.length; i++) {
                int of = queues.get(i).handled.cardinality();
                check(of >= before[i], of + " handled of " + before[i] + " of before the stop");
            }
        }

        private void post(Queue queue, int n) {
            for (int i = 0; i < n; i++) {
                if (schedule.oneIn(2)) {
                    queue.cq.reqNotify(false); // so that several threads get events of it at once
                }
                queue.qp.postSend(
                        SendWorkRequest.allocate(1, 0)
                                .wrId(i)
                                .send()
                                .to(self, queue.qp.qpNum(), QKEY)
                                .signaled());
                queue.posted++;
            }
        }

        private void handle(WorkCompletions batch) {
            handle(first(), batch);
        }

        private void handle(CompletionQueue cq, WorkCompletions batch) {
            for (Queue queue : queues) {
                if (queue.cq == cq) {
                    handle(queue, batch);
                    return;
                }
            }
            // Its creator has not listed it yet, nor posted.
            check(false, "a completion of a CQ without a queue pair");
        }

        private void handle(Queue queue, WorkCompletions batch) {
            check(!queue.isHandled, "two threads handle completions of one CQ");
            queue.isHandled = true;
            for (int i = schedule.between(1, 6); i > 0; i--) {
                schedule.pause();
            }
            mark(queue, batch);
            queue.isHandled = false;
            if (end == End.ALL_HANDLED && handledNow() == expected) {
                serving.close();
            }
        }

        private static void mark(Queue queue, WorkCompletions batch) {
            check(!batch.isEmpty(), "an empty batch");
            for (int i = 0; i < batch.size(); i++) {
                int id = (int) batch.wrId(i);
                check(!queue.handled.get(id), "completion " + id + " comes twice");
                queue.handled.set(id);
            }
        }

        private void close(Queue queue) {
            WorkCompletions rest = WorkCompletions.allocate(MOST);
            if (queue.cq.poll(rest) > 0) {
                mark(queue, rest);
            }
            int handled = queue.handled.cardinality();
            check(handled == queue.posted, handled + " completions of " + queue.posted);
            check(queue.cq.unackedEvents() == 0, "an event was not acknowledged");
            queue.qp.close();
            queue.cq.close();
        }
    }
}

package io.loomverbs.schedule;

import static io.loomverbs.schedule.Schedule.check;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.loomverbs.Access;
import io.loomverbs.ClosedException;
import io.loomverbs.Context;
import io.loomverbs.MemoryRegion;
import io.loomverbs.Opened;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpAttributes;
import io.loomverbs.QpConfig;
import io.loomverbs.QpState;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.RecvWorkRequest;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.WcStatus;
import io.loomverbs.WorkCompletions;
import io.loomverbs.internal.soft.FreshDevice;

import java.util.BitSet;

/**
 * Messages over soft0, sent before or after there is a buffer for them, by one thread or two, whose
 * completions are taken in every way; in some schedules the queue pairs are broken meanwhile. Each
 * request completes once, and each message that arrives is whole, in order, and comes once.
 */
final class MessagesScenario implements Scenario {
    private static final long FIRST_PAYLOAD = 1000;

    @Override
    public void play(Schedule schedule) {
        new Play(schedule).run();
    }

    private static final class Play {
        private final Schedule schedule;
        private final Context context = Opened.open(FreshDevice.create());
        private final ProtectionDomain pd = context.allocPd();
        private final MemoryRegion source = pd.allocateMr(64);
        private final MemoryRegion sink = pd.allocateMr(64, Access.LOCAL_WRITE);
        private final Consumer sends;
        private final Consumer receives;
        private final QueuePair sender;
        private final QueuePair receiver;
        private final BitSet arrived = new BitSet();
        private final BitSet completed = new BitSet();
        private final boolean breaks;
        private boolean oneSender;
        private int consumersLeft = 2;
        private boolean closed;

        Play(Schedule schedule) {
            this.schedule = schedule;
            breaks = schedule.oneIn(3);
            sends = new Consumer(schedule, context, this::sent, this::done);
            receives = new Consumer(schedule, context, this::received, this::done);
            sender = pd.createQp(QpConfig.of(QpType.RC, sends.cq));
            receiver = pd.createQp(QpConfig.of(QpType.RC, receives.cq));
            sender.connect(receiver.endpoint());
            receiver.connect(sender.endpoint());
        }

        void run() {
            int messages = schedule.between(1, 4);
            sends.expected = messages;
            receives.expected = messages;
            receives.start();
            sends.start();
            int split = schedule.oneIn(2) ? messages : schedule.between(0, messages);
            oneSender = split == messages;
            schedule.thread("sender", () -> send(0, split));
            if (!oneSender) {
                schedule.thread("second sender", () -> send(split, messages));
            }
            schedule.thread("receiver", () -> postReceives(messages));
            if (breaks) {
                schedule.thread("breaker", () -> breakDown(receiver));
                schedule.thread("breaker", () -> breakDown(sender));
            }
            schedule.run();
            check(closed, "the end has not come");
        }

        private void send(int from, int to) {
            for (int i = from; i < to; i++) {
                source.memory().set(JAVA_LONG, i * 8L, FIRST_PAYLOAD + i);
                sender.postSend(
                        SendWorkRequest.allocate(1, 0)
                                .wrId(i)
                                .send()
                                .sge(source, i * 8L, 8)
                                .signaled());
            }
        }

        private void postReceives(int messages) {
            for (int i = 0; i < messages; i++) {
                receiver.postRecv(RecvWorkRequest.allocate(1).wrId(i).sge(sink, i * 8L, 8));
            }
        }

        private void breakDown(QueuePair qp) {
            schedule.pause();
            try {
                qp.modify(QpAttributes.builder().state(QpState.ERR).build());
            } catch (ClosedException e) {
                // Too late: everything has completed.
            }
        }

        private void sent(WorkCompletions batch, int index) {
            int id = (int) batch.wrId(index);
            check(!completed.get(id), "request " + id + " has completed twice");
            completed.set(id);
            check(breaks || batch.isSuccess(index), "a send ended with " + batch.status(index));
        }

        private void received(WorkCompletions batch, int index) {
            if (batch.status(index) == WcStatus.WR_FLUSH_ERR && breaks) {
                return;
            }
            check(batch.isSuccess(index), "a receive ended with " + batch.status(index));
            check(batch.byteLen(index) == 8, "a message has lost its length");
            long payload = sink.memory().get(JAVA_LONG, batch.wrId(index) * 8);
            check(payload >= FIRST_PAYLOAD, "a completion came before its payload: " + payload);
            check(!arrived.get((int) payload), "message " + payload + " came twice");
            arrived.set((int) payload);
            // By request, not by time: two consumers may have polled one after the other, and
            // handle
            // what they got the other way round.
            boolean inOrder = payload == FIRST_PAYLOAD + batch.wrId(index);
            check(!oneSender || inOrder, payload + " is in buffer " + batch.wrId(index));
        }

        private void done() {
            if (--consumersLeft > 0) {
                return;
            }
            sender.close();
            receiver.close();
            sends.close();
            receives.close();
            source.close();
            sink.close();
            pd.close();
            context.close();
            closed = true;
        }
    }
}

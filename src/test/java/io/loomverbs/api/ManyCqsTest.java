package io.loomverbs.api;

import static org.assertj.core.api.Assertions.assertThat;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.loomverbs.CompletionChannel;
import io.loomverbs.CompletionQueue;
import io.loomverbs.CqEvent;
import io.loomverbs.MemoryRegion;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.RecvWorkRequest;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.WcOpcode;
import io.loomverbs.WorkCompletions;
import io.loomverbs.support.Fixture;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** Two thousand CQs with a blocking handler each: all get their messages, whole and in order. */
@Tag("device")
@Timeout(240)
class ManyCqsTest {
    private static final int CQS = 2_000;
    private static final int MESSAGES = 10;
    private static final long SLOT = 2L * Long.BYTES;
    private static final long PATIENCE_NANOS = 120_000_000_000L;

    /** How the handlers wait. */
    enum How {
        /** All on one channel; each event goes to the longest waiter. */
        ONE_CHANNEL,
        /** Events of one channel, each for the handler of its CQ. */
        ONE_CHANNEL_DIRECT,
        /** A channel for each CQ. */
        CHANNEL_EACH
    }

    private final Fixture f = new Fixture();
    private final MemoryRegion memory = f.mr(CQS * SLOT);
    private final AtomicInteger missing = new AtomicInteger(CQS * MESSAGES);

    @AfterEach
    void nothingIsLeft() throws Exception {
        f.close();
    }

    /** One end of a connection, and the context of its CQ. */
    private final class End {
        private final long at;
        private final WorkCompletions batch = WorkCompletions.allocate(4);
        private final SendWorkRequest send = SendWorkRequest.allocate(1, 0);
        private final RecvWorkRequest recv = RecvWorkRequest.allocate(1);
        private CompletionQueue cq;
        private QueuePair qp;
        private CompletionChannel channel;
        private long received;
        private long sent;

        End(int index) {
            at = index * SLOT;
        }

        void create(How how, CompletionChannel shared) {
            channel = how == How.CHANNEL_EACH ? f.channel() : shared;
            cq =
                    f.own(
                            how == How.ONE_CHANNEL_DIRECT
                                    ? f.context.createDirectCq(64, this, channel, 0)
                                    : f.context.createCq(64, this, channel, 0));
            qp = f.own(f.pd.createQp(QpConfig.of(QpType.RC, cq)));
        }

        void connect(End other) {
            qp.connect(other.qp.endpoint());
            qp.postRecv(recv.clear().sge(memory, at, Long.BYTES));
        }

        CqEvent event() throws InterruptedException {
            return cq.isDirect() ? cq.getCqEvent() : channel.getCqEvent();
        }

        synchronized void send() {
            memory.memory().set(JAVA_LONG, at + Long.BYTES, ++sent);
            qp.postSend(send.clear().send().sge(memory, at + Long.BYTES, Long.BYTES).signaled());
        }

        /** Arms, then takes what is there; several handlers of one channel may come at once. */
        synchronized void serve() {
            cq.reqNotify(false);
            while (cq.poll(batch) > 0) {
                for (int i = 0; i < batch.size(); i++) {
                    assertThat(batch.isSuccess(i)).as("%s", batch).isTrue();
                    if (batch.opcode(i) == WcOpcode.RECV) {
                        assertThat(memory.memory().get(JAVA_LONG, at)).isEqualTo(++received);
                        qp.postRecv(recv.clear().sge(memory, at, Long.BYTES));
                        missing.getAndDecrement();
                        if (sent < MESSAGES) {
                            send();
                        }
                    }
                }
            }
        }
    }

    /** Handles whatever comes, until it is interrupted. */
    private static Void handle(End end) {
        for (; ; ) {
            try (CqEvent event = end.event()) {
                ((End) event.cqContext()).serve();
            } catch (InterruptedException e) {
                return null;
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void everyHandlerGetsItsMessages(How how) throws Exception {
        CompletionChannel shared = f.channel();
        List<End> ends = new ArrayList<>();
        for (int i = 0; i < CQS; i++) {
            End end = new End(i);
            end.create(how, shared);
            ends.add(end);
        }
        for (int i = 0; i < CQS; i++) {
            ends.get(i).connect(ends.get(i ^ 1));
            ends.get(i).cq.reqNotify(false);
        }
        List<Fixture.Task<Void>> handlers = new ArrayList<>();
        for (int i = 0; i < CQS; i++) {
            End end = ends.get(i);
            handlers.add(f.start("handler-" + i, () -> handle(end)));
        }
        for (int i = 0; i < CQS; i += 2) {
            ends.get(i).send();
        }

        long start = System.nanoTime();
        while (missing.get() > 0 && System.nanoTime() - start < PATIENCE_NANOS) {
            assertThat(handlers).as("all go on").noneMatch(Fixture.Task::isDone);
            Thread.sleep(50);
        }
        assertThat(missing).hasValue(0);
        for (Fixture.Task<Void> handler : handlers) {
            handler.thread.interrupt();
        }
        for (Fixture.Task<Void> handler : handlers) {
            handler.get();
        }
        assertThat(ends).allMatch(end -> end.received == MESSAGES);
        assertThat(ends).allMatch(end -> end.cq.unackedEvents() == 0);
    }
}

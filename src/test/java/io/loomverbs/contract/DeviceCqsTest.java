package io.loomverbs.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.AsyncEvent;
import io.loomverbs.AsyncEventType;
import io.loomverbs.CompletionChannel;
import io.loomverbs.CompletionQueue;
import io.loomverbs.CqEvent;
import io.loomverbs.VerbsException;
import io.loomverbs.WorkCompletions;
import io.loomverbs.support.Fixture;
import io.loomverbs.support.Fixture.Source;

import org.junit.jupiter.api.Test;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;

/** What CQs hold, which waiters they wake, and what happens when one overruns. */
class DeviceCqsTest extends DeviceContract {
    /** Any mix of CQs, channels and vectors works, and each event names its CQ, in order. */
    @Test
    void cqsShareChannelsAndVectorsInAnyCombination() throws Exception {
        int vectors = f.context.numCompVectors();
        List<CompletionChannel> channels = List.of(f.channel(), f.channel());
        List<CompletionQueue> cqs = new ArrayList<>();
        List<Source> sources = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            CompletionChannel channel = channels.get(i % 2);
            CompletionQueue cq = f.own(f.context.createCq(8, i, channel, i % vectors));
            assertThat(cq.compVector()).isEqualTo(i % vectors);
            assertThat(cq.channel()).isSameAs(channel);
            cqs.add(cq);
            sources.add(f.source(cq));
            cq.reqNotify(false);
        }
        int[] order = {5, 3, 11, 0, 2, 1, 4, 10, 6, 9, 8, 7};
        for (int i : order) {
            sources.get(i).complete(i);
        }
        for (int c = 0; c < 2; c++) {
            for (int i : order) {
                if (i % 2 == c) {
                    try (CqEvent event = channels.get(c).getCqEvent(Fixture.PATIENCE)) {
                        assertThat(event).isNotNull();
                        assertThat(event.cqContext()).isEqualTo(i);
                        assertThat(event.cq()).isSameAs(cqs.get(i));
                    }
                }
            }
            assertThat(channels.get(c).tryGetCqEvent()).isNull();
        }
    }

    /** CQs of every size are at least as large as asked for, on the first and the last vector. */
    @Test
    void cqsOfEverySize() {
        int max = f.context.attributes().maxCqe();
        for (int cqe : new int[] {1, max / 2, max}) {
            for (int vector : new int[] {0, f.context.numCompVectors() - 1}) {
                try (CompletionQueue cq = f.context.createCq(cqe, null, null, vector)) {
                    assertThat(cq.cqe()).isGreaterThanOrEqualTo(cqe);
                    assertThat(cq.poll(batch)).isZero();
                }
            }
        }
    }

    /** A CQ holds all it was made for, and poll gives it out in order, in any portions. */
    @Test
    void aFullCqGivesAllBack() {
        CompletionQueue cq = f.own(f.context.createCq(16, null, null, 0));
        Source source = f.source(cq);
        for (int i = 0; i < cq.cqe(); i++) {
            source.complete(i);
        }
        WorkCompletions three = WorkCompletions.allocate(3);
        long next = 0;
        for (int n = cq.poll(three); n > 0; n = cq.poll(three)) {
            assertThat(three.size()).isEqualTo(n);
            for (int i = 0; i < n; i++) {
                assertThat(three.wrId(i)).isEqualTo(next++);
            }
        }
        assertThat(next).isEqualTo(cq.cqe());
        assertThat(three.isEmpty()).isTrue();
    }

    /** A CQ can be made larger and smaller, and keeps what it holds. */
    @Test
    void aCqIsResized() {
        CompletionQueue cq = f.own(f.context.createCq(4, null, null, 0));
        Source source = f.source(cq);
        int first = cq.cqe();
        for (int i = 0; i < first; i++) {
            source.complete(i);
        }
        cq.resize(first + 20);
        assertThat(cq.cqe()).isGreaterThanOrEqualTo(first + 20);
        int larger = cq.cqe();
        for (int i = first; i < first + 20; i++) {
            source.complete(i);
        }
        assertThatThrownBy(() -> cq.resize(first + 10))
                .isInstanceOfSatisfying(
                        VerbsException.class, e -> assertThat(e.errnoName()).isEqualTo("EINVAL"))
                .hasMessageContaining("cqe " + (first + 10))
                .hasMessageContaining("holds more");
        assertThat(cq.cqe()).isEqualTo(larger);
        assertThat(Fixture.poll(cq, first + 20).getLast().wrId()).isEqualTo(first + 19);
        cq.resize(1);
        assertThat(cq.cqe()).isBetween(1, first);
        source.complete(99);
        assertThat(Fixture.pollOne(cq).wrId()).isEqualTo(99);
    }

    /** A CQ that overruns says so once, keeps what it held, then fails, and wakes its waiters. */
    @Test
    void anOverrunIsTold() throws Exception {
        CompletionQueue cq = f.own(f.context.createDirectCq(2));
        Source source = f.source(cq);
        Fixture.Task<CqEvent> waiter = f.start("waiter", cq::getCqEvent).parked();
        source.overrun();
        assertThat(waiter.failure())
                .isInstanceOfSatisfying(
                        VerbsException.class, e -> assertThat(e.errnoName()).isEqualTo("EIO"));
        AsyncEvent event = f.context.getAsyncEvent(Fixture.PATIENCE);
        assertThat(event.type()).isEqualTo(AsyncEventType.CQ_ERR);
        assertThat(event.cq()).isSameAs(cq);
        assertThat(event.qp()).isNull();
        assertThat(event.port()).isZero();
        assertThat(event).hasToString("CQ_ERR of " + cq);
        assertThat(Fixture.poll(cq, cq.cqe())).hasSize(cq.cqe());
        assertThatThrownBy(() -> cq.poll(batch))
                .isInstanceOfSatisfying(
                        VerbsException.class, e -> assertThat(e.errnoName()).isEqualTo("EIO"))
                .hasMessageContaining(cq.toString());
        assertThatThrownBy(() -> cq.await(batch)).isInstanceOf(VerbsException.class);
        assertThatThrownBy(cq::tryGetCqEvent).isInstanceOf(VerbsException.class);
        source.close();
        // The event is not acknowledged yet: the close waits for that.
        assertThatThrownBy(() -> cq.close(Duration.ofMillis(20)))
                .isInstanceOfSatisfying(
                        VerbsException.class, e -> assertThat(e.errnoName()).isEqualTo("ETIMEDOUT"))
                .hasMessageContaining("1 unacknowledged asynchronous");
        Fixture.Task<?> closer =
                f.start(
                                "closer",
                                () -> {
                                    cq.close();
                                    return null;
                                })
                        .parked();
        event.close();
        event.close();
        closer.get();
        assertThat(f.context.getAsyncEvent(Fixture.QUIET)).isNull();
    }

    /**
     * A thread that closes a CQ while it holds an asynchronous event of it would wait for itself,
     * and gets an error.
     */
    @Test
    void aHolderOfAnAsyncEventCannotWaitForItself() throws Exception {
        CompletionQueue cq = f.own(f.context.createDirectCq(2));
        Source source = f.source(cq);
        source.overrun();
        AtomicReference<AsyncEvent> held = new AtomicReference<>();
        Fixture.Task<?> holder =
                f.start(
                        "holder",
                        () -> {
                            held.set(f.context.getAsyncEvent(Fixture.PATIENCE));
                            source.close();
                            assertThatThrownBy(cq::close)
                                    .isInstanceOfSatisfying(
                                            VerbsException.class,
                                            e -> assertThat(e.errnoName()).isEqualTo("EDEADLK"));
                            return null;
                        });
        // An interrupt does not end a close, so a defect would hang: then this acknowledges for it.
        boolean ended = holder.thread.join(Duration.ofSeconds(8));
        held.get().close();
        holder.get();
        assertThat(ended).isTrue();
    }
}

package io.loomverbs.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.loomverbs.AsyncEvent;
import io.loomverbs.AsyncEventType;
import io.loomverbs.ClosedException;
import io.loomverbs.DeviceAttributes;
import io.loomverbs.DeviceCapability;
import io.loomverbs.MemoryRegion;
import io.loomverbs.PostException;
import io.loomverbs.QpAttributes;
import io.loomverbs.QpConfig;
import io.loomverbs.QpState;
import io.loomverbs.QpType;
import io.loomverbs.RecvWorkRequest;
import io.loomverbs.SharedReceiveQueue;
import io.loomverbs.SrqAttributes;
import io.loomverbs.VerbsException;
import io.loomverbs.WcOpcode;
import io.loomverbs.WcStatus;
import io.loomverbs.WorkCompletion;
import io.loomverbs.support.Differences;
import io.loomverbs.support.Fixture;
import io.loomverbs.support.Fixture.Pair;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Shared receive queues: the order of requests, the limit, the last request, and the end. */
class DeviceSrqTest extends DeviceContract {
    private static final int SIZE = 16;

    private final SharedReceiveQueue srq = f.own(f.pd.createSrq(new SrqAttributes(SIZE, 2, 0)));
    private final MemoryRegion memory = f.mr(SIZE * 64);
    private final RecvWorkRequest receive = RecvWorkRequest.allocate(1);

    private Pair onSrq(QpType type) {
        return f.new Pair(type, sending(type), QpConfig.of(type, receives).withSrq(srq));
    }

    private void post(long wrId) {
        srq.postRecv(receive.clear().wrId(wrId).sge(memory, wrId % SIZE * 64, 64));
    }

    private void message(Pair p, long wrId) {
        p.a.postSend(p.send(wrId, 8));
        assertThat(Fixture.pollOne(sends).status()).isEqualTo(WcStatus.SUCCESS);
    }

    private static QpAttributes toError() {
        return QpAttributes.builder().state(QpState.ERR).build();
    }

    private AsyncEvent next(Duration timeout) throws InterruptedException {
        return f.context.getAsyncEvent(timeout);
    }

    /** The next event, which is about the queue. */
    private void limitReached() throws InterruptedException {
        try (AsyncEvent event = next(Fixture.PATIENCE)) {
            assertThat(event).isNotNull();
            assertThat(event.type()).isEqualTo(AsyncEventType.SRQ_LIMIT_REACHED);
            assertThat(event.srq()).isSameAs(srq);
            assertThat(event.qp()).isNull();
            assertThat(event.cq()).isNull();
            assertThat(event.count()).isEqualTo(1);
            assertThat(event).hasToString("SRQ_LIMIT_REACHED of " + srq);
        }
    }

    /** Messages use the requests in their order, whichever queue pair they are for. */
    @ParameterizedTest
    @EnumSource
    void oneQueueServesMany(QpType type) {
        List<Pair> pairs = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            pairs.add(onSrq(type));
        }
        for (int i = 0; i < SIZE; i++) {
            post(i);
        }
        for (int i = 0; i < SIZE; i++) {
            Pair p = pairs.get(i * 7 % 3);
            p.aMemory.memory().set(JAVA_LONG, 0, 100 + i);
            message(p, i);
            WorkCompletion got = Fixture.pollOne(receives);
            assertThat(got.status()).isEqualTo(WcStatus.SUCCESS);
            assertThat(got.wrId()).isEqualTo(i);
            assertThat(got.qpNum()).isEqualTo(p.b.qpNum());
            assertThat(got.byteLen()).isEqualTo(8 + headerOf(type));
            long at = i * 64L + headerOf(type);
            assertThat(memory.memory().get(JAVA_LONG, at)).isEqualTo(100 + i);
        }
        quiet();
    }

    /** A write with immediate data uses a request, too. */
    @Test
    void aWriteWithImmediateTakesARequest() {
        Pair p = onSrq(QpType.RC);
        post(3);
        p.a.postSend(p.send(1, 8).rdmaWriteWithImm(p.bMemory.address(), p.bMemory.rkey(), 42));
        WorkCompletion got = Fixture.pollOne(receives);
        assertThat(got.wrId()).isEqualTo(3);
        assertThat(got.immData()).isEqualTo(42);
        assertThat(got.opcode()).isEqualTo(WcOpcode.RECV_RDMA_WITH_IMM);
        Fixture.pollOne(sends);
    }

    /** A chain is posted as a whole; of one that does not fit, what does. */
    @Test
    void chains() {
        Pair p = onSrq(QpType.RC);
        int granted = srq.query().maxWr();
        assertThat(granted).isGreaterThanOrEqualTo(SIZE);
        int sent = 4 * granted;
        List<RecvWorkRequest> chain = new ArrayList<>();
        for (int i = 0; i < sent; i++) {
            chain.add(RecvWorkRequest.allocate(1).wrId(i).sge(memory, 0, 64));
            if (i > 0) {
                chain.get(i - 1).next(chain.get(i));
            }
        }
        assertThatThrownBy(() -> srq.postRecv(chain.getFirst()))
                .isInstanceOfSatisfying(
                        PostException.class,
                        e -> {
                            assertThat(e.errnoName()).isEqualTo("ENOMEM");
                            assertThat(e.posted()).isBetween(granted, sent - 1);
                        })
                .hasMessageContaining(String.valueOf(granted));
        for (int i = 0; i < SIZE; i++) {
            message(p, i);
            assertThat(Fixture.pollOne(receives).wrId()).isEqualTo(i);
        }
        post(99);
    }

    /** The event comes once, when fewer are left than the limit, and is then no longer armed. */
    @Test
    void theLimitIsToldOnce() throws Exception {
        Pair p = onSrq(QpType.RC);
        Pair q = onSrq(QpType.RC);
        for (int i = 0; i < 4; i++) {
            post(i);
        }
        srq.armLimit(3);
        assertThat(srq.query().srqLimit()).isEqualTo(3);
        message(p, 1); // 3 are left, which is not fewer
        assertThat(next(Fixture.QUIET)).isNull();
        message(q, 2);
        limitReached();
        assertThat(srq.query().srqLimit()).isZero();
        message(p, 3);
        assertThat(next(Fixture.QUIET)).isNull();
        Fixture.poll(receives, 3);

        for (int i = 0; i < 3; i++) {
            post(i);
        }
        srq.armLimit(4);
        message(q, 4);
        limitReached();
        srq.armLimit(2);
        srq.armLimit(0);
        message(p, 5);
        message(p, 6);
        assertThat(next(Fixture.QUIET)).isNull();
        Fixture.poll(receives, 3);
    }

    /** A queue pair in error leaves the requests to the others, and says so. */
    @Test
    void theLastRequestOfAQueuePairIsTold() throws Exception {
        Pair p = onSrq(QpType.RC);
        Pair q = onSrq(QpType.RC);
        post(1);
        post(2);
        message(p, 1);
        Fixture.pollOne(receives);
        p.b.modify(toError());
        if (Differences.tellsOfTheLastRequest()) {
            try (AsyncEvent event = next(Fixture.PATIENCE)) {
                assertThat(event).isNotNull();
                assertThat(event.type()).isEqualTo(AsyncEventType.QP_LAST_WQE_REACHED);
                assertThat(event.qp()).isSameAs(p.b);
                assertThat(event.srq()).isNull();
            }
        }
        assertThat(next(Fixture.QUIET)).isNull();
        quiet();
        message(q, 2);
        assertThat(Fixture.pollOne(receives).wrId()).isEqualTo(2);
        assertThat(p.b.query().state()).isEqualTo(QpState.ERR);
    }

    /** Senders that found no request go on when there is one, each with its own. */
    @Test
    void aLateRequestIsInTime() {
        List<Pair> pairs = List.of(onSrq(QpType.RC), onSrq(QpType.RC), onSrq(QpType.RC));
        for (Pair p : pairs) {
            p.a.postSend(p.send(1, 8));
        }
        quiet();
        for (int i = 0; i < 3; i++) {
            post(i);
            assertThat(Fixture.pollOne(receives).wrId()).isEqualTo(i);
            assertThat(Fixture.pollOne(sends).status()).isEqualTo(WcStatus.SUCCESS);
        }
    }

    /** More requests, then fewer: those that are posted stay. */
    @Test
    void resize() {
        assertThat(f.context.attributes().has(DeviceCapability.SRQ_RESIZE)).isTrue();
        Pair p = onSrq(QpType.RC);
        for (int i = 0; i < SIZE; i++) {
            post(i);
        }
        srq.resize(4 * SIZE);
        assertThat(srq.query().maxWr()).isGreaterThanOrEqualTo(4 * SIZE);
        for (int i = SIZE; i < 4 * SIZE; i++) {
            post(i);
        }
        assertThatThrownBy(() -> srq.resize(SIZE))
                .isInstanceOf(VerbsException.class)
                .hasMessageContaining("EINVAL");
        for (int i = 0; i < 4 * SIZE; i++) {
            message(p, i);
            assertThat(Fixture.pollOne(receives).wrId()).isEqualTo(i);
        }
        srq.resize(2);
        post(7);
        message(p, 7);
        assertThat(Fixture.pollOne(receives).wrId()).isEqualTo(7);
    }

    /** It says what it was granted, and its queue pairs that they have no queue of their own. */
    @Test
    void attributes() {
        SrqAttributes is = srq.query();
        assertThat(is.maxWr()).isGreaterThanOrEqualTo(SIZE);
        assertThat(is.maxSge()).isGreaterThanOrEqualTo(2);
        assertThat(is.srqLimit()).isZero();
        assertThat(srq.pd()).isSameAs(f.pd);
        Pair p = onSrq(QpType.UC);
        assertThat(p.b.srq()).isSameAs(srq);
        assertThat(p.a.srq()).isNull();
        assertThat(p.b.config().maxRecvWr()).isZero();
        assertThat(p.b.config().srq()).isSameAs(srq);
        DeviceAttributes limits = f.context.attributes();
        assertThat(List.of(limits.maxSrq(), limits.maxSrqWr(), limits.maxSrqSge()))
                .allSatisfy(limit -> assertThat(limit).isPositive());
    }

    /** A close waits for the acknowledgement of the queue's events. */
    @Test
    void aCloseWaitsForEvents() throws Exception {
        SharedReceiveQueue other = f.own(f.pd.createSrq(SrqAttributes.of(4)));
        Pair p =
                f
                .new Pair(
                        QpType.RC,
                        sending(QpType.RC),
                        QpConfig.of(QpType.RC, receives).withSrq(other));
        other.postRecv(receive.clear().wrId(1).sge(memory, 0, 64));
        other.armLimit(1);
        message(p, 1);
        Fixture.pollOne(receives);
        AsyncEvent event = next(Fixture.PATIENCE);
        assertThat(event).isNotNull();
        assertThatThrownBy(other::close).hasMessageContaining("EBUSY");
        p.b.close();
        assertThatThrownBy(other::close).hasMessageContaining("EDEADLK");
        Fixture.Task<Void> closer =
                f.start(
                        "closer",
                        () -> {
                            other.close();
                            return null;
                        });
        closer.parked();
        event.close();
        closer.get();
        assertThatThrownBy(other::query).isInstanceOf(ClosedException.class);
    }

    /** Unused requests go with the queue, without completions. */
    @Test
    void aQueueIsClosedWithRequests() {
        SharedReceiveQueue other = f.pd.createSrq(SrqAttributes.of(4));
        other.postRecv(receive.clear().wrId(1).sge(memory, 0, 64));
        other.close();
        quiet();
    }
}

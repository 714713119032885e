package io.loomverbs.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.CompletionChannel;
import io.loomverbs.CompletionQueue;
import io.loomverbs.CqConfig;
import io.loomverbs.CqEvent;
import io.loomverbs.CqGroup;
import io.loomverbs.ExtendedDeviceAttributes;
import io.loomverbs.GroupCompletions;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.Serving;
import io.loomverbs.VerbsException;
import io.loomverbs.WaitStrategy;
import io.loomverbs.WcField;
import io.loomverbs.WcStatus;
import io.loomverbs.WorkCompletion;
import io.loomverbs.WorkCompletions;
import io.loomverbs.support.Differences;
import io.loomverbs.support.Fixture;
import io.loomverbs.support.Fixture.Pair;
import io.loomverbs.support.Fixture.Source;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** Extended CQs: they do what others do, and their completions say more. */
class DeviceExtendedCqTest extends DeviceContract {
    private static final WcField TIME = WcField.COMPLETION_TIMESTAMP;
    private static final WcField TIME_OF_DAY = WcField.COMPLETION_TIMESTAMP_WALLCLOCK;

    /** With all that the device has. */
    private static CqConfig with(CqConfig config) {
        return Differences.stampsCompletions() ? config.withFields(TIME, TIME_OF_DAY) : config;
    }

    private CompletionQueue direct() {
        return f.own(f.context.createCqEx(with(CqConfig.direct(64))));
    }

    private CompletionQueue polledOnly() {
        return f.own(f.context.createCqEx(with(CqConfig.of(64))));
    }

    private static void isStamped(WorkCompletions completions, int index) {
        if (Differences.stampsCompletions()) {
            assertThat(completions.timestamp(index)).isNotZero();
            assertThat(completions.wallclockNanos(index)).isPositive();
            WorkCompletion copy = completions.get(index);
            assertThat(copy.timestamp()).isEqualTo(completions.timestamp(index));
            assertThat(copy.wallclockNanos()).isEqualTo(completions.wallclockNanos(index));
        }
    }

    /** What the device lacks is refused, with its name and that of the field. */
    @Test
    void refusals() {
        List<WcField> lacks = new ArrayList<>(List.of(WcField.CVLAN, WcField.FLOW_TAG));
        if (!Differences.stampsCompletions()) {
            lacks.addAll(List.of(TIME, TIME_OF_DAY));
            assertThatThrownBy(f.context::rawClock)
                    .isInstanceOf(VerbsException.class)
                    .hasMessageContaining("ibv_query_rt_values_ex: EOPNOTSUPP");
        }
        for (WcField field : lacks) {
            assertThatThrownBy(() -> f.context.createCqEx(CqConfig.of(4).withFields(field)))
                    .isInstanceOf(VerbsException.class)
                    .hasMessageContaining("ibv_create_cq_ex: EOPNOTSUPP")
                    .hasMessageContaining(field.name())
                    .hasMessageContaining("not supported by " + Fixture.DEVICE);
        }
    }

    /** Every field of a plain CQ is there, too, on every type of queue pair. */
    @ParameterizedTest
    @EnumSource(QpType.class)
    void completionsAreThoseOfPlainCqs(QpType type) {
        CompletionQueue exSends = polledOnly();
        CompletionQueue exReceives = polledOnly();
        assertThat(exSends.fields()).hasSize(Differences.stampsCompletions() ? 2 : 0);
        assertThat(sends.fields()).isEmpty();
        Pair plain = pair(type);
        Pair extended =
                f
                .new Pair(
                        type,
                        QpConfig.of(type, exSends).withSge(4, 4).withInlineData(64),
                        QpConfig.of(type, exReceives).withSge(4, 4));
        assertThat(exchange(extended, exSends, exReceives))
                .isEqualTo(exchange(plain, sends, receives));
    }

    /** What is valid of the completions of three messages. */
    private static List<String> exchange(
            Pair p, CompletionQueue ofSends, CompletionQueue ofReceives) {
        List<String> said = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            p.recv(10 + i);
            SendWorkRequest wr = p.send(i, 8 * i);
            p.a.postSend(i == 1 ? wr.sendWithImm(0x0102_0304) : wr);
        }
        for (WorkCompletion c : Fixture.poll(ofReceives, 3)) {
            assertThat(c.qpNum()).isEqualTo(p.b.qpNum());
            boolean isUd = p.a.type() == QpType.UD;
            assertThat(isUd ? c.srcQp() : p.a.qpNum()).isEqualTo(p.a.qpNum());
            said.add(
                    String.join(
                            " ",
                            "" + c.wrId(),
                            "" + c.status(),
                            "" + c.opcode(),
                            "" + c.byteLen(),
                            "" + (c.hasImm() ? c.immData() : 0),
                            "" + (isUd && c.hasGrh()),
                            "" + (isUd ? c.slid() + " " + c.sl() : "")));
        }
        for (WorkCompletion c : Fixture.poll(ofSends, 3)) {
            assertThat(c.qpNum()).isEqualTo(p.a.qpNum());
            said.add(c.wrId() + " " + c.status() + " " + c.opcode());
        }
        return said;
    }

    /** A batch that is smaller than what is there gets the oldest, and the rest stays. */
    @Test
    void portions() {
        CompletionQueue cq = polledOnly();
        Source source = f.source(cq);
        for (int i = 0; i < 10; i++) {
            source.complete(i);
        }
        WorkCompletions small = WorkCompletions.allocate(4);
        for (int expected : new int[] {4, 4, 2, 0, 0}) {
            assertThat(cq.poll(small)).isEqualTo(expected);
            for (int i = 0; i < expected; i++) {
                isStamped(small, i);
            }
        }
        source.complete(10);
        assertThat(cq.poll(small)).isOne();
        assertThat(small.wrId(0)).isEqualTo(10);
        cq.resize(200);
        for (int i = 0; i < 100; i++) {
            source.complete(i);
        }
        assertThat(Fixture.poll(cq, 100)).extracting(WorkCompletion::wrId).isSorted();
    }

    /** Failed work says which, why, and nothing of the time. */
    @Test
    void failures() {
        CompletionQueue cq = polledOnly();
        Pair p = f.pair(cq, receives);
        p.a.postSend(
                SendWorkRequest.allocate(1, 0)
                        .wrId(7)
                        .rdmaWrite(p.bMemory.address(), 0x7777_7700)
                        .sge(p.aMemory, 0, 8)
                        .signaled());
        Fixture.eventually("the WRITE has failed", () -> cq.poll(batch) == 1);
        assertThat(batch.status(0)).isEqualTo(WcStatus.REM_ACCESS_ERR);
        assertThat(batch.wrId(0)).isEqualTo(7);
        assertThat(batch.qpNum(0)).isEqualTo(p.a.qpNum());
        if (Differences.stampsCompletions()) {
            assertThat(batch.timestamp(0)).isZero();
            assertThat(batch.wallclockNanos(0)).isZero();
        }
    }

    /** Arms, events, acknowledgements, and a close that waits for them. */
    @Test
    void events() throws Exception {
        CompletionQueue cq = direct();
        Source source = f.source(cq);
        for (int round = 0; round < 3; round++) {
            cq.reqNotify(false);
            source.complete(round);
            try (CqEvent event = cq.getCqEvent(Fixture.PATIENCE)) {
                assertThat(event).isNotNull();
                assertThat(event.cq()).isSameAs(cq);
            }
            assertThat(cq.poll(batch)).isOne();
            isStamped(batch, 0);
        }
        CompletionChannel channel = f.channel();
        CompletionQueue shared =
                f.own(
                        f.context.createCqEx(
                                with(CqConfig.of(8).withChannel(channel).withCqContext("mine"))));
        Source other = f.source(shared);
        shared.reqNotify(false);
        other.complete(1);
        CqEvent event = channel.getCqEvent(Fixture.PATIENCE);
        assertThat(event).isNotNull();
        assertThat(event.cqContext()).isEqualTo("mine");
        other.close();
        Fixture.Task<String> close =
                f.start(
                                "close",
                                () -> {
                                    shared.close();
                                    return "closed";
                                })
                        .parked();
        event.close();
        assertThat(close.get()).isEqualTo("closed");
    }

    /** In every way of waiting. */
    @ParameterizedTest
    @EnumSource(WaitStrategy.class)
    void waits(WaitStrategy strategy) throws Exception {
        CompletionQueue cq =
                f.own(f.context.createCqEx(with(CqConfig.direct(64).withWaitStrategy(strategy))));
        Source source = f.source(cq);
        for (int i = 0; i < 3; i++) {
            Fixture.Task<Integer> waiter =
                    f.start("waiter", () -> cq.await(batch, 3, Fixture.PATIENCE));
            for (int k = 0; k < 3; k++) {
                source.complete(k);
            }
            assertThat(waiter.get()).isEqualTo(3);
            for (int k = 0; k < 3; k++) {
                assertThat(batch.wrId(k)).isEqualTo(k);
                isStamped(batch, k);
            }
        }
    }

    /** A handler's batch is in native memory. */
    @Test
    void serving() throws Exception {
        CompletionQueue cq = direct();
        Source source = f.source(cq);
        LinkedBlockingQueue<Long> seen = new LinkedBlockingQueue<>();
        LinkedBlockingQueue<Throwable> wrong = new LinkedBlockingQueue<>();
        try (Serving serving =
                cq.serve(
                        completions -> {
                            try {
                                for (int i = 0; i < completions.size(); i++) {
                                    isStamped(completions, i);
                                    seen.add(completions.wrId(i));
                                }
                            } catch (Throwable e) {
                                wrong.add(e);
                            }
                        })) {
            assertThat(serving).isNotNull();
            for (long i = 0; i < 100; i++) {
                source.complete(i);
                assertThat(seen.poll(20, TimeUnit.SECONDS)).as("%s", wrong).isEqualTo(i);
            }
        }
        assertThat(wrong).isEmpty();
    }

    /** Beside a plain CQ, whose completions have no time. */
    @Test
    void groups() throws Exception {
        CompletionQueue extended = direct();
        CompletionQueue plain = f.direct();
        Source first = f.source(extended);
        Source second = f.source(plain);
        CqGroup group = f.own(CqGroup.create());
        group.add(plain);
        group.add(extended);
        GroupCompletions all = GroupCompletions.allocate(8);
        for (int i = 0; i < 3; i++) {
            first.complete(1);
            second.complete(2);
        }
        assertThat(group.await(all, 6, Fixture.PATIENCE)).isEqualTo(6);
        for (int i = 0; i < 6; i++) {
            if (all.cq(i) == extended) {
                isStamped(all.completions(), i);
            } else {
                int index = i;
                assertThatThrownBy(() -> all.completions().timestamp(index))
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining(plain + " was created without " + TIME);
            }
        }
    }

    /** What was polled from a plain CQ into a batch has nothing of what was in it before. */
    @Test
    void aPlainCqHasNoTimes() {
        CompletionQueue cq = polledOnly();
        f.source(cq).complete(1);
        assertThat(cq.poll(batch)).isOne();
        isStamped(batch, 0);
        CompletionQueue plain = f.polled();
        f.source(plain).complete(2);
        assertThat(plain.poll(batch)).isOne();
        for (Runnable read :
                List.<Runnable>of(
                        () -> batch.timestamp(0),
                        () -> batch.wallclockNanos(0),
                        () -> batch.cvlan(0),
                        () -> batch.flowTag(0))) {
            assertThatThrownBy(read::run)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining(plain + " was created without ")
                    .hasMessageContaining("CqConfig.withFields");
        }
    }

    /** The times lie between those that the clocks show before and after. */
    @Test
    void times() {
        if (!Differences.stampsCompletions()) {
            return;
        }
        ExtendedDeviceAttributes clock = f.context.extendedAttributes();
        CompletionQueue cq = polledOnly();
        Source source = f.source(cq);
        long nanosBefore = System.nanoTime();
        long before = f.context.rawClock();
        Instant then = Instant.now();
        for (int i = 0; i < 5; i++) {
            source.complete(i);
        }
        long after = f.context.rawClock();
        long most = System.nanoTime() - nanosBefore;
        assertThat(cq.poll(batch)).isEqualTo(5);
        long last = before;
        long tick = 1_000_000 / clock.hcaCoreClock() + 1;
        for (int i = 0; i < 5; i++) {
            long time = batch.timestamp(i);
            assertThat(time & ~clock.completionTimestampMask()).isZero();
            assertThat(clock.nanos(last, time)).isBetween(0L, most + tick);
            last = time;
            long ofDay = batch.wallclockNanos(i);
            Instant when = Instant.ofEpochSecond(0, ofDay);
            assertThat(when).isBetween(then.minusSeconds(2), Instant.now().plusSeconds(2));
        }
        assertThat(clock.nanos(last, after)).isBetween(0L, most + tick);
        assertThat(clock.nanos(before, after)).isBetween(1L, most + tick);
    }

    /** What it held before can be polled, and then it says that it has failed. */
    @Test
    void overrun() throws Exception {
        CompletionQueue cq = f.own(f.context.createCqEx(with(CqConfig.direct(4))));
        Source source = f.source(cq);
        source.overrun();
        f.context.getAsyncEvent(Fixture.PATIENCE).close();
        assertThat(Fixture.poll(cq, cq.cqe())).extracting(WorkCompletion::wrId).isSorted();
        assertThatThrownBy(() -> cq.poll(batch))
                .isInstanceOf(VerbsException.class)
                .hasMessageContaining("EIO");
    }
}

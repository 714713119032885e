package io.loomverbs.testkit;

import static io.loomverbs.WcStatus.LOC_PROT_ERR;
import static io.loomverbs.WcStatus.REM_ACCESS_ERR;
import static io.loomverbs.WcStatus.REM_INV_REQ_ERR;
import static io.loomverbs.WcStatus.REM_OP_ERR;
import static io.loomverbs.WcStatus.RETRY_EXC_ERR;
import static io.loomverbs.WcStatus.RNR_RETRY_EXC_ERR;
import static io.loomverbs.WcStatus.SUCCESS;
import static io.loomverbs.WcStatus.WR_FLUSH_ERR;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.loomverbs.AsyncEventType;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.Gid;
import io.loomverbs.PortState;
import io.loomverbs.PostException;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpAttributes;
import io.loomverbs.QpConfig;
import io.loomverbs.QpState;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.SharedReceiveQueue;
import io.loomverbs.SrqAttributes;
import io.loomverbs.VerbsException;
import io.loomverbs.WcStatus;
import io.loomverbs.WorkCompletion;
import io.loomverbs.WorkCompletions;
import io.loomverbs.support.Fixture;
import io.loomverbs.testkit.junit.FailOnLeaks;

import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Each fault does what it says, and everything after it is as on a real device. */
@Timeout(60)
@ExtendWith(FailOnLeaks.class)
@ParameterizedClass
@ValueSource(strings = {"soft0", "strict0"})
class FaultsTest {
    private static final Duration LONG = Duration.ofHours(1);

    private final String device;

    FaultsTest(String device) {
        this.device = device;
    }

    /** The n-th fails, those behind it are flushed, and the peer does not notice. */
    @Test
    void theNthSendFails() {
        try (Line line = new Line(device)) {
            line.faults.failSend(3, RETRY_EXC_ERR);
            line.send(0, 5);
            assertThat(line.sent(5))
                    .containsExactly(SUCCESS, SUCCESS, RETRY_EXC_ERR, WR_FLUSH_ERR, WR_FLUSH_ERR);
            assertThat(line.left.qp.state()).isEqualTo(QpState.ERR);
            assertThat(line.received(2)).containsOnly(SUCCESS);
            assertThat(line.right.qp.state()).isEqualTo(QpState.RTS);
        }
    }

    /** A status that a peer gives as it fails itself is given by a peer that does. */
    @Test
    void aPeerThatRefusesFailsToo() throws Exception {
        try (Line line = new Line(device)) {
            line.faults.failSend(1, REM_ACCESS_ERR);
            line.send(0, 1);
            assertThat(line.sent(1)).containsExactly(REM_ACCESS_ERR);
            assertThat(line.right.event()).isEqualTo(AsyncEventType.QP_ACCESS_ERR);
            assertThat(line.received(Line.DEPTH)).containsOnly(WR_FLUSH_ERR);
        }
        try (Line line = new Line(device)) {
            line.faults.failSend(1, REM_INV_REQ_ERR);
            line.send(0, 1);
            assertThat(line.sent(1)).containsExactly(REM_INV_REQ_ERR);
            assertThat(line.right.event()).isEqualTo(AsyncEventType.QP_REQ_ERR);
        }
        try (Line line = new Line(device)) {
            line.faults.failSend(1, REM_OP_ERR);
            line.send(0, 1);
            assertThat(line.sent(1)).containsExactly(REM_OP_ERR);
            List<WcStatus> received = line.received(Line.DEPTH);
            assertThat(received.getFirst()).isEqualTo(LOC_PROT_ERR);
            assertThat(received.subList(1, Line.DEPTH)).containsOnly(WR_FLUSH_ERR);
        }
    }

    /** Requests of one queue pair are counted apart from those of others. */
    @Test
    void oneQueuePairFails() {
        try (Line line = new Line(device);
                QueuePair other = line.left.pd.createQp(QpConfig.of(QpType.RC, line.left.sends))) {
            line.faults.failSend(other, 1, RETRY_EXC_ERR).failSend(2, RNR_RETRY_EXC_ERR);
            line.send(0, 2);
            assertThat(line.sent(2)).containsExactly(SUCCESS, RNR_RETRY_EXC_ERR);
        }
    }

    /** An unreliable queue pair that fails goes to SQE, and works again after that. */
    @Test
    void anUnreliableOneGoesToSqe() {
        for (QpType type : List.of(QpType.UC, QpType.UD)) {
            try (Line line = new Line(device, type, QpAttributes.builder().build())) {
                line.faults.failSend(2, LOC_PROT_ERR);
                line.send(0, 3);
                assertThat(line.sent(3)).containsExactly(SUCCESS, LOC_PROT_ERR, WR_FLUSH_ERR);
                assertThat(line.left.qp.state()).isEqualTo(QpState.SQE);
                assertThat(line.received(1)).containsExactly(SUCCESS);
            }
        }
    }

    /** What was cleared does not happen. */
    @Test
    void clearEndsFaults() {
        try (Line line = new Line(device)) {
            line.faults.failSend(1, RETRY_EXC_ERR).drop(1).rnr(1).clear();
            line.send(0, 1);
            assertThat(line.sent(1)).containsExactly(SUCCESS);
        }
    }

    /** Delays are at least what was asked for, all at the same time, and keep the order. */
    @Test
    void requestsComeLater() {
        Duration delay = Duration.ofMillis(400);
        try (Line line = new Line(device)) {
            line.faults.delay(Distribution.fixed(delay));
            long start = System.nanoTime();
            line.send(0, 32);
            assertThat(line.sent(32)).containsOnly(SUCCESS);
            assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(delay.toNanos());
            assertThat(System.nanoTime() - start).isLessThan(16 * delay.toNanos());
            assertThat(line.received(32)).containsOnly(SUCCESS);
        }
    }

    /** Delays of different lengths do not change the order. */
    @Test
    void delayedRequestsStayInOrder() {
        try (Line line = new Line(device)) {
            line.faults.delay(Distribution.uniform(Duration.ZERO, Duration.ofMillis(2)));
            line.send(0, Line.DEPTH);
            assertThat(Fixture.poll(line.left.sends, Line.DEPTH))
                    .extracting(WorkCompletion::wrId)
                    .isSorted()
                    .doesNotHaveDuplicates();
        }
    }

    /** A delayed request is outstanding: the queue can be full, and ERR flushes it. */
    @Test
    void aDelayedRequestIsFlushed() {
        try (Line line = new Line(device)) {
            line.faults.delay(Distribution.fixed(LONG));
            line.send(0, Line.DEPTH);
            assertThatThrownBy(() -> line.send(99, 1)).hasMessageContaining("is full");
            line.faults.kill(line.left.qp, RETRY_EXC_ERR);
            List<WcStatus> sent = line.sent(Line.DEPTH);
            assertThat(sent.getFirst()).isEqualTo(RETRY_EXC_ERR);
            assertThat(sent.subList(1, Line.DEPTH)).containsOnly(WR_FLUSH_ERR);
        }
    }

    /** The data of a request is read when it is sent: a buffer used again too early shows. */
    @Test
    void dataIsReadWhenItIsSent() {
        try (Line line = new Line(device)) {
            line.faults.delay(Distribution.fixed(Duration.ofMillis(200)));
            line.send(0, 1);
            line.left.memory.memory().set(JAVA_LONG, 0, 42);
            assertThat(line.received(1)).containsExactly(SUCCESS);
            assertThat(line.right.memory.memory().get(JAVA_LONG, 0)).isEqualTo(42);
        }
    }

    /** What is lost each time is given up after all retries. */
    @Test
    void lossesUseUpRetries() {
        try (Line line = new Line(device)) {
            line.faults.drop(1);
            long start = System.nanoTime();
            line.send(0, 2);
            assertThat(line.sent(2)).containsExactly(RETRY_EXC_ERR, WR_FLUSH_ERR);
            long timeouts = 4 * (4096L << 8);
            assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(timeouts);
        }
    }

    /** A reliable connection repeats what is lost: everything arrives once. */
    @Test
    void lostMessagesAreRepeated() {
        try (Line line = new Line(device, QpType.RC, Line.impatient().retryCnt(7).build())) {
            line.faults.seed(1).drop(0.3);
            line.send(0, Line.DEPTH);
            assertThat(line.sent(Line.DEPTH)).containsOnly(SUCCESS);
            assertThat(line.received(Line.DEPTH)).containsOnly(SUCCESS);
        }
    }

    /** Unreliable messages are lost without a word. */
    @Test
    void unreliableMessagesAreLost() {
        for (QpType type : List.of(QpType.UC, QpType.UD)) {
            try (Line line = new Line(device, type, QpAttributes.builder().build())) {
                line.faults.seed(7).drop(0.5);
                line.send(0, Line.DEPTH);
                assertThat(line.sent(Line.DEPTH)).containsOnly(SUCCESS);
                line.faults.clear();
                WorkCompletions batch = WorkCompletions.allocate(Line.DEPTH);
                int arrived = line.right.receives.poll(batch);
                assertThat(arrived).isBetween(1, Line.DEPTH - 1);
            }
        }
    }

    /** A receiver that is never ready is given up. */
    @Test
    void aReceiverIsNotReady() {
        try (Line line = new Line(device)) {
            line.faults.rnr(1);
            line.send(0, 2);
            assertThat(line.sent(2)).containsExactly(RNR_RETRY_EXC_ERR, WR_FLUSH_ERR);
            assertThat(line.right.qp.state()).isEqualTo(QpState.RTS);
        }
        try (Line line = new Line(device, QpType.RC, Line.impatient().rnrRetry(7).build())) {
            line.faults.rnr(0.5);
            line.send(0, Line.DEPTH);
            assertThat(line.sent(Line.DEPTH)).containsOnly(SUCCESS);
        }
    }

    /** A port that is down is told of, and nothing passes it; what waits for it goes on later. */
    @Test
    void aPortGoesDownAndUp() throws Exception {
        try (Line line = new Line(device, QpType.RC, Line.impatient().timeout(18).build())) {
            line.faults.portDown().portDown();
            assertThat(line.left.event()).isEqualTo(AsyncEventType.PORT_ERR);
            assertThat(line.left.context.port(1).state()).isEqualTo(PortState.DOWN);
            assertThat(line.right.context.port(1).state()).isEqualTo(PortState.ACTIVE);
            line.send(0, 1);
            assertThat(line.left.sends.poll(WorkCompletions.allocate(1))).isZero();
            line.faults.portUp();
            assertThat(line.left.event()).isEqualTo(AsyncEventType.PORT_ACTIVE);
            assertThat(line.left.context.port(1).state()).isEqualTo(PortState.ACTIVE);
            assertThat(line.sent(1)).containsExactly(SUCCESS);
        }
    }

    /** Both ends give up a port that stays down. */
    @Test
    void aPortStaysDown() {
        try (Line line = new Line(device)) {
            line.faults.portDown();
            line.send(0, 1);
            assertThat(line.sent(1)).containsExactly(RETRY_EXC_ERR);
            SendWorkRequest back = SendWorkRequest.allocate(1, 0).send().signaled();
            line.right.qp.postSend(back);
            assertThat(Line.statuses(line.right.sends, 1)).containsExactly(RETRY_EXC_ERR);
        }
    }

    /** A queue pair without requests says in an event that it was killed. */
    @Test
    void anIdleQueuePairIsKilled() throws Exception {
        try (Line line = new Line(device)) {
            line.faults.kill(line.left.qp, RETRY_EXC_ERR).kill(line.left.qp, RETRY_EXC_ERR);
            assertThat(line.left.event()).isEqualTo(AsyncEventType.QP_FATAL);
            assertThat(line.left.qp.state()).isEqualTo(QpState.ERR);
        }
    }

    /** An overrun CQ tells, takes its queue pairs along, and fails. */
    @Test
    void aCqOverruns() throws Exception {
        try (Line line = new Line(device)) {
            line.faults.overrun(line.left.sends);
            assertThat(line.left.event()).isEqualTo(AsyncEventType.CQ_ERR);
            assertThat(line.left.event()).isEqualTo(AsyncEventType.QP_FATAL);
            assertThat(line.left.qp.state()).isEqualTo(QpState.ERR);
            assertThatThrownBy(() -> line.left.sends.poll(WorkCompletions.allocate(1)))
                    .isInstanceOf(VerbsException.class)
                    .hasMessageContaining("EIO");
            line.faults.overrun(line.left.sends);
        }
    }

    /** A device that is lost ends every wait, and can be closed. */
    @Test
    void aDeviceIsLost() throws Exception {
        try (Line line = new Line(device)) {
            line.faults.delay(Distribution.fixed(LONG));
            line.send(0, 3);
            List<Throwable> ended = Collections.synchronizedList(new ArrayList<>());
            Thread waiter =
                    Thread.ofVirtual()
                            .start(
                                    () -> {
                                        try {
                                            line.left.sends.await(WorkCompletions.allocate(1));
                                        } catch (Exception e) {
                                            ended.add(e);
                                        }
                                    });
            line.faults.loseDevice().loseDevice();
            assertThat(waiter.join(Fixture.PATIENCE)).isTrue();
            assertThat(ended).hasSize(1);
            assertThat(ended.getFirst())
                    .isInstanceOf(VerbsException.class)
                    .hasMessageContaining("EIO");
            assertThat(line.left.event()).isEqualTo(AsyncEventType.DEVICE_FATAL);
            assertThatThrownBy(() -> line.left.context.createDirectCq(1))
                    .isInstanceOf(VerbsException.class)
                    .hasMessageContaining(device + " was lost");
            assertThatThrownBy(line.left.qp::state).isInstanceOf(VerbsException.class);
            SendWorkRequest wrong =
                    SendWorkRequest.allocate(1, 0).rdmaRead(0, 0).inline(MemorySegment.NULL);
            PostException refused =
                    catchThrowableOfType(PostException.class, () -> line.left.qp.postSend(wrong));
            assertThat(refused).isNotNull().hasMessageContaining("in state unknown");
            assertThat(refused.posted()).isZero();
            line.right.qp.postSend(SendWorkRequest.allocate(1, 0).send().signaled());
            assertThat(Line.statuses(line.right.sends, 1)).containsExactly(RETRY_EXC_ERR);
        }
    }

    /** Whatever is asked of its objects; what takes them apart works. */
    @Test
    void allThatIsAskedOfALostDeviceFails() {
        Gid group = Gid.parse("ff0e::1");
        try (Line line = new Line(device)) {
            ProtectionDomain pd = line.left.pd;
            Context context = line.left.context;
            CompletionQueue cq = line.left.sends;
            SharedReceiveQueue srq = pd.createSrq(SrqAttributes.of(8));
            QueuePair ud = pd.createQp(QpConfig.of(QpType.UD, cq));
            ud.attachMcast(group, 0);
            line.faults.loseDevice();
            List<ThrowingCallable> asked =
                    List.of(
                            () -> context.gid(1, 0),
                            () -> context.pkey(1, 0),
                            () -> context.port(1),
                            () -> cq.resize(100),
                            () -> cq.moderate(1, Duration.ZERO),
                            srq::query,
                            () -> srq.armLimit(1),
                            () -> srq.resize(4),
                            () -> ud.attachMcast(Gid.parse("ff0e::2"), 0));
            for (ThrowingCallable each : asked) {
                assertThatThrownBy(each)
                        .isInstanceOf(VerbsException.class)
                        .hasMessageContaining("EIO");
            }
            ud.detachMcast(group, 0);
            ud.close();
            srq.close();
        }
    }

    /** The same seed gives the same fate, another one another. */
    @Test
    void seedsAreReplayed() {
        List<List<WcStatus>> first = fates(42);
        assertThat(fates(42)).isEqualTo(first);
        assertThat(fates(43)).isNotEqualTo(first);
        assertThat(first.stream().flatMap(List::stream)).contains(RETRY_EXC_ERR, SUCCESS);
    }

    /** How requests of several queue pairs end that lose much. */
    private List<List<WcStatus>> fates(long seed) {
        List<List<WcStatus>> fates = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            try (Line line = new Line(device, QpType.RC, Line.impatient().timeout(5).build())) {
                line.faults.seed(seed + 100L * i).drop(0.55);
                assertThat(line.faults.seed()).isEqualTo(seed + 100L * i);
                line.send(0, 16);
                fates.add(line.sent(16));
            }
        }
        return fates;
    }

    /** Faults that come and go while messages are sent: each request completes once. */
    @Test
    void faultsChangeUnderTraffic() throws Exception {
        try (Line line =
                new Line(device, QpType.RC, Line.impatient().retryCnt(7).rnrRetry(7).build())) {
            int rounds = 200;
            List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());
            Thread changer =
                    Thread.ofPlatform()
                            .start(
                                    () -> {
                                        try {
                                            change(line.faults, 500);
                                        } catch (RuntimeException | Error e) {
                                            failures.add(e);
                                        }
                                    });
            for (int i = 0; i < rounds; i++) {
                line.send(8L * i, 8);
                List<WorkCompletion> done = Fixture.poll(line.left.sends, 8);
                for (int j = 0; j < 8; j++) {
                    assertThat(done.get(j).wrId()).isEqualTo(8L * i + j);
                    assertThat(done.get(j).status()).isEqualTo(SUCCESS);
                }
                assertThat(line.received(8)).containsOnly(SUCCESS);
                for (int j = 0; j < 8; j++) {
                    line.receive();
                }
            }
            assertThat(changer.join(Fixture.PATIENCE)).isTrue();
            assertThat(failures).isEmpty();
        }
    }

    private static void change(Faults faults, int times) {
        for (int i = 0; i < times; i++) {
            switch (i % 5) {
                case 0 -> faults.delay(Distribution.exponential(Duration.ofNanos(20_000)));
                case 1 -> faults.drop(0.05);
                case 2 -> faults.rnr(0.2);
                case 3 -> faults.seed(i);
                default -> faults.clear();
            }
            Thread.onSpinWait();
        }
        faults.clear();
    }
}

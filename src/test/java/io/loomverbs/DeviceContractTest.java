package io.loomverbs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.loomverbs.Fixture.Pair;
import io.loomverbs.Fixture.Source;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;

/** What every device must do, tried through the public API on the device of {@link Fixture}. */
@Tag("device")
@Timeout(60)
@SuppressWarnings("try") // explicit closes are what is tried
class DeviceContractTest {
    private static final int GRH = 40;

    private final Fixture f = new Fixture();
    private final CompletionQueue sends = f.polled();
    private final CompletionQueue receives = f.polled();
    private final WorkCompletions batch = WorkCompletions.allocate(16);

    @AfterEach
    void nothingIsLeft() throws Exception {
        f.close();
    }

    private QpConfig sending(QpType type) {
        return QpConfig.of(type, sends).withSge(4, 4).withInlineData(64);
    }

    private QpConfig receiving(QpType type) {
        return QpConfig.of(type, receives).withSge(4, 4);
    }

    private Pair pair(QpType type) {
        return f.new Pair(type, sending(type), receiving(type));
    }

    /** A pair that gives up soon, and whose receiver allows only what is named. */
    private Pair impatient(Access... access) {
        return f
        .new Pair(
                QpType.RC,
                sending(QpType.RC),
                receiving(QpType.RC),
                QpAttributes.builder()
                        .access(access)
                        .timeout(8)
                        .retryCnt(1)
                        .rnrRetry(1)
                        .minRnrTimer(1)
                        .build());
    }

    private static int headerOf(QpType type) {
        return type == QpType.UD ? GRH : 0;
    }

    private static void fill(MemorySegment memory, long from, int length) {
        for (int i = 0; i < length; i++) {
            memory.set(JAVA_BYTE, from + i, (byte) (i * 7 + 3));
        }
    }

    private static void same(MemorySegment a, long from, MemorySegment b, long at, int length) {
        assertThat(MemorySegment.mismatch(a, from, from + length, b, at, at + length))
                .isEqualTo(-1);
    }

    // --- messages ---

    /** A SEND of any length arrives whole, with a completion on either side. */
    @ParameterizedTest
    @EnumSource
    void aMessageArrives(QpType type) {
        Pair p = pair(type);
        for (int length : new int[] {0, 1, 7, 64, 256, 1000}) {
            fill(p.aMemory.memory(), 0, length);
            p.message(length, length);

            WorkCompletion sent = Fixture.pollOne(sends);
            assertThat(sent.wrId()).isEqualTo(length);
            assertThat(sent.status()).isEqualTo(WcStatus.SUCCESS);
            assertThat(sent.opcode()).isEqualTo(WcOpcode.SEND);
            assertThat(sent.qpNum()).isEqualTo(p.a.qpNum());
            WorkCompletion received = Fixture.pollOne(receives);
            assertThat(received.wrId()).isEqualTo(length);
            assertThat(received.status()).isEqualTo(WcStatus.SUCCESS);
            assertThat(received.opcode()).isEqualTo(WcOpcode.RECV);
            assertThat(received.byteLen()).isEqualTo(length + headerOf(type));
            assertThat(received.hasImm()).isFalse();
            assertThat(received.qpNum()).isEqualTo(p.b.qpNum());
            if (type == QpType.UD) {
                assertThat(received.srcQp()).isEqualTo(p.a.qpNum());
            }
            long at = Fixture.BUFFER / 2L + headerOf(type);
            same(p.aMemory.memory(), 0, p.bMemory.memory(), at, length);
        }
    }

    /** An immediate arrives with its message, as the same number. */
    @ParameterizedTest
    @EnumSource
    void anImmediateArrives(QpType type) {
        Pair p = pair(type);
        for (int imm : new int[] {0, 1, 0x01020304, -1}) {
            p.recv(1);
            p.a.postSend(p.send(2, 8).sendWithImm(imm));
            WorkCompletion received = Fixture.pollOne(receives);
            assertThat(received.hasImm()).isTrue();
            assertThat(received.immData()).isEqualTo(imm);
            Fixture.pollOne(sends);
        }
    }

    /** Inline data is copied when the request is made, and needs no registration. */
    @ParameterizedTest
    @EnumSource
    void inlineDataArrives(QpType type) {
        Pair p = pair(type);
        byte[] bytes = {1, 2, 3, 4, 5, 6, 7, 8, 9};
        SendWorkRequest wr = p.send(1, 0).inline(MemorySegment.ofArray(bytes));
        bytes[0] = 99;
        p.recv(1);
        p.a.postSend(wr);
        WorkCompletion received = Fixture.pollOne(receives);
        assertThat(received.byteLen()).isEqualTo(9 + headerOf(type));
        long at = Fixture.BUFFER / 2L + headerOf(type);
        assertThat(p.bMemory.memory().get(JAVA_BYTE, at)).isEqualTo((byte) 1);
        assertThat(p.bMemory.memory().get(JAVA_BYTE, at + 8)).isEqualTo((byte) 9);
        assertThat(Fixture.pollOne(sends).status()).isEqualTo(WcStatus.SUCCESS);
    }

    /** Messages are gathered from several places and scattered to several, in order. */
    @ParameterizedTest
    @EnumSource(names = {"RC", "UC"})
    void entriesAreGatheredAndScattered(QpType type) {
        Pair p = pair(type);
        fill(p.aMemory.memory(), 0, 300);
        RecvWorkRequest to =
                RecvWorkRequest.allocate(4)
                        .wrId(4)
                        .sge(p.bMemory, 10, 5)
                        .sge(p.bMemory, 100, 150)
                        .sge(p.bMemory, 1000, 1000);
        p.b.postRecv(to);
        p.a.postSend(
                p.send(1, 0)
                        .sge(p.aMemory, 0, 100)
                        .sge(p.aMemory, 100, 0)
                        .sge(p.aMemory, 100, 1)
                        .sge(p.aMemory, 101, 199));
        assertThat(Fixture.pollOne(receives).byteLen()).isEqualTo(300);
        same(p.aMemory.memory(), 0, p.bMemory.memory(), 10, 5);
        same(p.aMemory.memory(), 5, p.bMemory.memory(), 100, 150);
        same(p.aMemory.memory(), 155, p.bMemory.memory(), 1000, 145);
        Fixture.pollOne(sends);
    }

    /** Only signalled requests have a completion, unless the queue pair signals all. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void signallingIsSelective(boolean all) {
        Pair p = f.new Pair(QpType.RC, sending(QpType.RC).withSqSigAll(all), receiving(QpType.RC));
        for (int i = 0; i < 6; i++) {
            p.recv(i);
            SendWorkRequest wr = SendWorkRequest.allocate(1, 0).wrId(i).sge(p.aMemory, 0, 8);
            p.a.postSend(i % 3 == 2 ? wr.signaled() : wr);
        }
        assertThat(Fixture.poll(receives, 6))
                .extracting(WorkCompletion::wrId)
                .containsExactly(0L, 1L, 2L, 3L, 4L, 5L);
        assertThat(Fixture.poll(sends, all ? 6 : 2))
                .extracting(WorkCompletion::wrId)
                .isEqualTo(all ? List.of(0L, 1L, 2L, 3L, 4L, 5L) : List.of(2L, 5L));
        quiet();
    }

    private void quiet() {
        assertThat(sends.poll(batch)).as("%s", batch).isZero();
        assertThat(receives.poll(batch)).as("%s", batch).isZero();
    }

    /** A chain is posted in order; what is refused in it says how many went before it. */
    @Test
    void aChainIsPostedUpToTheFirstBadRequest() {
        Pair p = pair(QpType.RC);
        RecvWorkRequest second = RecvWorkRequest.allocate(1).wrId(2).sge(p.bMemory, 0, 64);
        p.b.postRecv(RecvWorkRequest.allocate(1).wrId(1).sge(p.bMemory, 64, 64).next(second));
        SendWorkRequest bad = SendWorkRequest.allocate(8, 0).wrId(3).signaled();
        for (int i = 0; i < 5; i++) {
            bad.sge(p.aMemory, 0, 1);
        }
        SendWorkRequest last = p.send(2, 8).next(bad);
        assertThatThrownBy(() -> p.a.postSend(p.send(1, 8).next(last)))
                .isInstanceOfSatisfying(
                        PostException.class,
                        e -> {
                            assertThat(e.posted()).isEqualTo(2);
                            assertThat(e.errnoName()).isEqualTo("EINVAL");
                        });
        assertThat(Fixture.poll(sends, 2)).extracting(WorkCompletion::wrId).containsExactly(1L, 2L);
        assertThat(Fixture.poll(receives, 2))
                .extracting(WorkCompletion::wrId)
                .containsExactly(1L, 2L);
    }

    // --- one-sided ---

    /** A WRITE changes the peer's memory and tells the peer nothing. */
    @ParameterizedTest
    @EnumSource(names = {"RC", "UC"})
    void aWriteArrivesSilently(QpType type) {
        Pair p = pair(type);
        fill(p.aMemory.memory(), 0, 100);
        p.a.postSend(p.send(5, 100).rdmaWrite(p.bMemory.address() + 50, p.bMemory.rkey()));
        WorkCompletion sent = Fixture.pollOne(sends);
        assertThat(sent.status()).isEqualTo(WcStatus.SUCCESS);
        assertThat(sent.opcode()).isEqualTo(WcOpcode.RDMA_WRITE);
        Fixture.eventually(
                "the bytes",
                () ->
                        p.bMemory.memory().get(JAVA_BYTE, 149)
                                == p.aMemory.memory().get(JAVA_BYTE, 99));
        same(p.aMemory.memory(), 0, p.bMemory.memory(), 50, 100);
        quiet();
    }

    /** A WRITE with immediate uses up a receive request, and leaves its buffer alone. */
    @ParameterizedTest
    @EnumSource(names = {"RC", "UC"})
    void aWriteWithImmediateTellsThePeer(QpType type) {
        Pair p = pair(type);
        p.bMemory.memory().fill((byte) 0x55);
        p.recv(6);
        p.a.postSend(p.send(5, 16).rdmaWriteWithImm(p.bMemory.address(), p.bMemory.rkey(), 42));
        WorkCompletion received = Fixture.pollOne(receives);
        assertThat(received.wrId()).isEqualTo(6);
        assertThat(received.opcode()).isEqualTo(WcOpcode.RECV_RDMA_WITH_IMM);
        assertThat(received.immData()).isEqualTo(42);
        assertThat(received.byteLen()).isEqualTo(16);
        same(p.aMemory.memory(), 0, p.bMemory.memory(), 0, 16);
        assertThat(p.bMemory.memory().get(JAVA_BYTE, Fixture.BUFFER / 2)).isEqualTo((byte) 0x55);
        Fixture.pollOne(sends);
    }

    /** READ and the atomics fetch from the peer; the atomics change what is there. */
    @Test
    void whatIsFetchedIsWhatWasThere() {
        Pair p = pair(QpType.RC);
        fill(p.bMemory.memory(), 0, 200);
        p.a.postSend(p.send(1, 200).rdmaRead(p.bMemory.address(), p.bMemory.rkey()));
        assertThat(Fixture.pollOne(sends).opcode()).isEqualTo(WcOpcode.RDMA_READ);
        same(p.bMemory.memory(), 0, p.aMemory.memory(), 0, 200);

        MemorySegment there = p.bMemory.memory();
        MemorySegment here = p.aMemory.memory();
        there.set(JAVA_LONG, 256, 40);
        long addr = p.bMemory.address() + 256;
        int rkey = p.bMemory.rkey();
        p.a.postSend(p.send(2, 8).fetchAndAdd(addr, rkey, 2));
        assertThat(Fixture.pollOne(sends).opcode()).isEqualTo(WcOpcode.FETCH_ADD);
        assertThat(here.get(JAVA_LONG, 0)).isEqualTo(40);
        assertThat(there.get(JAVA_LONG, 256)).isEqualTo(42);

        p.a.postSend(p.send(3, 8).compareAndSwap(addr, rkey, 41, 7));
        assertThat(Fixture.pollOne(sends).opcode()).isEqualTo(WcOpcode.COMP_SWAP);
        assertThat(here.get(JAVA_LONG, 0)).isEqualTo(42);
        assertThat(there.get(JAVA_LONG, 256)).isEqualTo(42);
        p.a.postSend(p.send(4, 8).compareAndSwap(addr, rkey, 42, 7).fence());
        Fixture.pollOne(sends);
        assertThat(here.get(JAVA_LONG, 0)).isEqualTo(42);
        assertThat(there.get(JAVA_LONG, 256)).isEqualTo(7);
        quiet();
    }

    // --- errors ---

    interface Request {
        SendWorkRequest of(Pair p);
    }

    static Stream<Arguments> errors() {
        Access[] all = Access.values();
        return Stream.of(
                error(
                        "unknown local key",
                        p -> p.send(1, 0).sge(p.aMemory.address(), 8, ~p.aMemory.lkey()),
                        Differences.unknownLocalKey(),
                        all),
                error(
                        "beyond the local region",
                        p -> p.send(1, 0).sge(end(p.aMemory) - 4, 8, p.aMemory.lkey()),
                        WcStatus.LOC_PROT_ERR,
                        all),
                error(
                        "message longer than the buffer",
                        p -> p.send(1, Fixture.BUFFER / 2 + 1),
                        Differences.messageTooLong(),
                        all),
                error(
                        "unknown remote key",
                        p -> p.send(1, 8).rdmaWrite(p.bMemory.address(), ~p.bMemory.rkey()),
                        WcStatus.REM_ACCESS_ERR,
                        all),
                error(
                        "write beyond the remote region",
                        p -> p.send(1, 8).rdmaWrite(end(p.bMemory) - 7, p.bMemory.rkey()),
                        WcStatus.REM_ACCESS_ERR,
                        all),
                error(
                        "read beyond the remote region",
                        p -> p.send(1, 8).rdmaRead(p.bMemory.address() - 1, p.bMemory.rkey()),
                        WcStatus.REM_ACCESS_ERR,
                        all),
                error(
                        "atomic beyond the remote region",
                        p -> p.send(1, 8).fetchAndAdd(end(p.bMemory), p.bMemory.rkey(), 1),
                        WcStatus.REM_ACCESS_ERR,
                        all));
    }

    private static long end(MemoryRegion mr) {
        return mr.address() + mr.length();
    }

    private static Arguments error(String what, Request request, WcStatus status, Access... qp) {
        return arguments(what, request, status, qp);
    }

    /** A reliable request that fails says why, and everything after it is flushed. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("errors")
    void anErrorIsReportedAndFlushesTheRest(
            String what, Request request, WcStatus status, Access[] access) throws Exception {
        Pair p = impatient(access);
        p.recv(10);
        p.recv(11);
        p.a.postRecv(RecvWorkRequest.allocate(1).wrId(20));

        p.a.postSend(request.of(p));

        // One CQ has both queues of a; what is flushed of them has no common order.
        List<WorkCompletion> all = Fixture.poll(sends, 2);
        WorkCompletion failed = all.getFirst();
        assertThat(failed.wrId()).as(what).isEqualTo(1);
        assertThat(failed.status()).as(what).isEqualTo(status);
        assertThat(all.get(1).wrId()).isEqualTo(20);
        assertThat(all.get(1).status()).isEqualTo(WcStatus.WR_FLUSH_ERR);
        assertThat(p.a.state()).isEqualTo(QpState.ERR);
        p.a.postSend(SendWorkRequest.allocate(1, 0).wrId(2));
        WorkCompletion flushed = Fixture.pollOne(sends);
        assertThat(flushed.wrId()).isEqualTo(2);
        assertThat(flushed.status()).isEqualTo(WcStatus.WR_FLUSH_ERR);
        p.a.postRecv(RecvWorkRequest.allocate(1).wrId(21));
        if (!Differences.flushesLateReceives()) {
            Thread.sleep(Fixture.QUIET);
            assertThat(sends.poll(batch)).isZero();
            p.a.modify(QpAttributes.builder().state(QpState.ERR).build());
        }
        assertThat(Fixture.pollOne(sends).status()).isEqualTo(WcStatus.WR_FLUSH_ERR);
    }

    /** A queue pair that does not allow an operation answers it with an error. */
    @Test
    void operationsMustBeAllowed() {
        for (int i = 0; i < 3; i++) {
            Pair p = impatient();
            long addr = p.bMemory.address();
            int rkey = p.bMemory.rkey();
            SendWorkRequest wr = p.send(1, 8);
            p.a.postSend(
                    switch (i) {
                        case 0 -> wr.rdmaWrite(addr, rkey);
                        case 1 -> wr.rdmaRead(addr, rkey);
                        default -> wr.fetchAndAdd(addr, rkey, 1);
                    });
            assertThat(Fixture.pollOne(sends).status())
                    .isIn(WcStatus.REM_INV_REQ_ERR, WcStatus.REM_ACCESS_ERR);
        }
    }

    /** Without a receive request a reliable sender tries as often as told, then says so. */
    @Test
    void noReceiveRequestIsAnErrorAfterRetries() {
        Pair p = impatient();
        p.a.postSend(p.send(1, 8));
        assertThat(Fixture.pollOne(sends).status()).isEqualTo(WcStatus.RNR_RETRY_EXC_ERR);
    }

    /** A reliable sender that may retry for ever goes on when the receive request comes. */
    @Test
    void aLateReceiveRequestIsInTime() {
        Pair p = pair(QpType.RC);
        p.a.postSend(p.send(1, 8));
        quiet();
        p.recv(2);
        assertThat(Fixture.pollOne(receives).wrId()).isEqualTo(2);
        assertThat(Fixture.pollOne(sends).status()).isEqualTo(WcStatus.SUCCESS);
    }

    /** A peer that is gone does not answer, which is an error after the retries. */
    @Test
    void noAnswerIsAnErrorAfterRetries() {
        Pair p = impatient();
        p.b.close();
        p.a.postSend(p.send(1, 8));
        assertThat(Fixture.pollOne(sends).status()).isEqualTo(WcStatus.RETRY_EXC_ERR);
    }

    /** What an unreliable peer cannot take is lost, and the sender does not learn of it. */
    @ParameterizedTest
    @EnumSource(names = {"UC", "UD"})
    void unreliableMessagesAreLostUnnoticed(QpType type) {
        Pair p = pair(type);
        p.a.postSend(p.send(1, 8));
        assertThat(Fixture.pollOne(sends).status()).isEqualTo(WcStatus.SUCCESS);
        p.message(2, 8);
        assertThat(Fixture.pollOne(receives).wrId()).isEqualTo(2);
        Fixture.pollOne(sends);
        quiet();
    }

    /** A datagram with the wrong key is not received. */
    @Test
    void aDatagramNeedsTheKey() {
        Pair p = pair(QpType.UD);
        AddressHandle ah = f.own(f.pd.createAh(Fixture.addressOf(p.b)));
        p.recv(1);
        p.a.postSend(p.send(1, 8).to(ah, p.b.qpNum(), Fixture.QKEY + 1));
        p.a.postSend(p.send(2, 16));
        assertThat(Fixture.pollOne(receives).byteLen()).isEqualTo(16 + GRH);
        Fixture.poll(sends, 2);
    }

    /** Going to the error state flushes both queues, in order, and RESET makes a fresh one. */
    @ParameterizedTest
    @EnumSource
    void theErrorStateFlushes(QpType type) {
        Pair p = pair(type);
        for (int i = 0; i < 5; i++) {
            p.recv(i);
        }
        p.b.modify(QpAttributes.builder().state(QpState.ERR).build());
        List<WorkCompletion> flushed = Fixture.poll(receives, 5);
        for (int i = 0; i < 5; i++) {
            assertThat(flushed.get(i).wrId()).isEqualTo(i);
            assertThat(flushed.get(i).status()).isEqualTo(WcStatus.WR_FLUSH_ERR);
            assertThat(flushed.get(i).qpNum()).isEqualTo(p.b.qpNum());
        }
        p.b.modify(QpAttributes.builder().state(QpState.RESET).build());
        assertThat(p.b.state()).isEqualTo(QpState.RESET);
        assertThatThrownBy(() -> p.recv(9)).isInstanceOf(PostException.class);
    }

    // --- arming ---

    /** An arm is good for one event, however many completions come. */
    @Test
    void anArmIsOneShot() throws Exception {
        CompletionQueue cq = f.direct();
        Source source = f.source(cq);
        cq.reqNotify(false);
        cq.reqNotify(false);
        for (int i = 0; i < 3; i++) {
            source.complete(i);
        }
        cq.getCqEvent(Fixture.PATIENCE).close();
        assertThat(cq.getCqEvent(Fixture.QUIET)).isNull();
        assertThat(Fixture.poll(cq, 3)).hasSize(3);
        source.complete(4);
        assertThat(cq.getCqEvent(Fixture.QUIET)).as("not armed").isNull();
    }

    /** Completions that were there before the arm raise nothing; the next one does. */
    @Test
    void onlyNewCompletionsFire() throws Exception {
        CompletionQueue cq = f.direct();
        Source source = f.source(cq);
        source.complete(1);
        cq.reqNotify(false);
        assertThat(cq.getCqEvent(Fixture.QUIET)).isNull();
        source.complete(2);
        cq.getCqEvent(Fixture.PATIENCE).close();
        Fixture.poll(cq, 2);
    }

    /** An arm for solicited completions waits for one of them. */
    @Test
    void aSolicitedArmWaitsForASolicitedMessage() throws Exception {
        CompletionQueue cq = f.direct();
        Source source = f.source(cq);
        cq.reqNotify(true);
        source.complete(1, false);
        assertThat(cq.getCqEvent(Fixture.QUIET)).isNull();
        source.complete(2, true);
        cq.getCqEvent(Fixture.PATIENCE).close();
        assertThat(cq.getCqEvent(Fixture.QUIET)).isNull();
        Fixture.poll(cq, 2);
    }

    /**
     * A later arm for solicited completions does not weaken one for all; the reverse strengthens.
     */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void theStrongerArmCounts(boolean solicitedFirst) throws Exception {
        CompletionQueue cq = f.direct();
        Source source = f.source(cq);
        cq.reqNotify(solicitedFirst);
        cq.reqNotify(!solicitedFirst);
        source.complete(1, false);
        cq.getCqEvent(Fixture.PATIENCE).close();
        // The strength is spent with the event.
        cq.reqNotify(true);
        source.complete(2, false);
        assertThat(cq.getCqEvent(Fixture.QUIET)).isNull();
        Fixture.poll(cq, 2);
    }

    /** An error counts as solicited; a successful send never does. */
    @Test
    void errorsAreSolicitedAndSendsAreNot() throws Exception {
        CompletionQueue cq = f.direct();
        Pair p =
                f.new Pair(QpType.RC, QpConfig.of(QpType.RC, cq), QpConfig.of(QpType.RC, receives));
        cq.reqNotify(true);
        p.recv(1);
        p.a.postSend(p.send(1, 8).solicited());
        Fixture.pollOne(cq);
        assertThat(cq.getCqEvent(Fixture.QUIET)).isNull();
        p.a.postSend(p.send(2, 0).sge(p.aMemory.address(), 8, ~p.aMemory.lkey()));
        if (Differences.failedSendsAreSolicited()) {
            cq.getCqEvent(Fixture.PATIENCE).close();
        }
        assertThat(Fixture.pollOne(cq).status()).isEqualTo(Differences.unknownLocalKey());
    }

    /** An event may find the CQ empty, if somebody has polled before it was received. */
    @Test
    void anEventMayBeSpurious() throws Exception {
        CompletionQueue cq = f.direct();
        Source source = f.source(cq);
        cq.reqNotify(false);
        source.complete(1);
        Fixture.pollOne(cq);
        cq.getCqEvent(Fixture.PATIENCE).close();
        assertThat(cq.poll(batch)).isZero();
    }

    /** rdma-core's loop of get, arm, poll, a hundred times, on each service. */
    @ParameterizedTest
    @EnumSource
    void theEventLoopOfRdmaCore(QpType type) throws Exception {
        CompletionChannel channel = f.channel();
        CompletionQueue cq = f.on(channel);
        Pair p = f.new Pair(type, QpConfig.of(type, sends), QpConfig.of(type, cq));
        cq.reqNotify(false);
        for (int i = 0; i < 100; i++) {
            p.message(i, 32);
            CqEvent event = channel.getCqEvent(Fixture.PATIENCE);
            assertThat(event).isNotNull();
            assertThat(event.cq()).isSameAs(cq);
            cq.reqNotify(false);
            assertThat(Fixture.pollOne(cq).wrId()).isEqualTo(i);
            Fixture.pollOne(sends);
        }
        // Spurious ones may have come up between an arm and its poll.
        for (CqEvent e = channel.tryGetCqEvent(); e != null; e = channel.tryGetCqEvent()) {
            assertThat(e.cq()).isSameAs(cq);
        }
        assertThat(cq.unackedEvents()).isGreaterThanOrEqualTo(100);
        cq.ackEvents(cq.unackedEvents());
    }

    // --- CQs, channels, vectors ---

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

    /** A queue takes as many requests as it was granted, and no more until some have completed. */
    @Test
    void aQueueTakesWhatItWasGranted() {
        Pair p = pair(QpType.RC);
        int granted = p.b.config().maxRecvWr();
        for (int i = 0; i < granted; i++) {
            p.recv(i);
        }
        if (!Differences.queuesAreExact()) {
            // Up to the next power of two, less one.
            int all = 2 * Integer.highestOneBit(granted) - 1;
            assertThat(all).isGreaterThan(granted);
            for (int i = granted; i < all; i++) {
                p.recv(i);
            }
        }
        assertThatThrownBy(() -> p.recv(granted))
                .isInstanceOfSatisfying(
                        PostException.class, e -> assertThat(e.errnoName()).isEqualTo("ENOMEM"))
                .hasMessageContaining(String.valueOf(granted));
        p.a.postSend(p.send(1, 0));
        Fixture.pollOne(receives);
        p.recv(granted);
        Fixture.pollOne(sends);
        assertThatThrownBy(() -> p.recv(granted)).isInstanceOf(PostException.class);
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

    /** A queue pair steps through its states as verbs have it, and query shows them. */
    @Test
    void theStatesOfAQueuePair() {
        QueuePair qp = f.own(f.pd.createQp(sending(QpType.RC)));
        assertThat(qp.state()).isEqualTo(QpState.RESET);
        for (QpState to : List.of(QpState.RTR, QpState.RTS, QpState.SQD)) {
            assertThatThrownBy(() -> qp.modify(QpAttributes.builder().state(to).build()))
                    .isInstanceOf(VerbsException.class)
                    .hasMessageContaining("EINVAL");
            assertThat(qp.state()).isEqualTo(QpState.RESET);
        }
        QueuePair other = f.own(f.pd.createQp(sending(QpType.RC)));
        qp.connect(other.endpoint(), QpAttributes.builder().minRnrTimer(9).retryCnt(3).build());
        QpAttributes is = qp.query();
        assertThat(is.state()).isEqualTo(QpState.RTS);
        assertThat(is.destQpNum()).isEqualTo(other.qpNum());
        assertThat(is.rqPsn()).isEqualTo(other.endpoint().psn());
        assertThat(is.minRnrTimer()).isEqualTo(9);
        assertThat(is.retryCnt()).isEqualTo(3);
        assertThat(is.portNum()).isEqualTo(1);
    }

    /** Numbers and keys of objects that live at the same time differ. */
    @Test
    void numbersAreUnique() {
        Set<Integer> qpNums = new HashSet<>();
        Set<Integer> keys = new HashSet<>();
        for (int i = 0; i < 20; i++) {
            QueuePair qp = f.own(f.pd.createQp(sending(QpType.UD)));
            assertThat(qp.qpNum()).isBetween(0, 0xffffff);
            qpNums.add(qp.qpNum());
            keys.add(f.mr(64).lkey());
        }
        assertThat(qpNums).hasSize(20);
        assertThat(keys).hasSize(20);
    }

    /** What the device says of itself fits together. */
    @Test
    void theAttributesMakeSense() {
        DeviceAttributes is = f.context.attributes();
        assertThat(is.nodeGuid()).isEqualTo(f.context.device().guid());
        assertThat(is.numCompVectors()).isEqualTo(f.context.numCompVectors()).isPositive();
        assertThat(List.of(is.maxQp(), is.maxCq(), is.maxCqe(), is.maxMr(), is.maxPd()))
                .allSatisfy(limit -> assertThat(limit).isPositive());
        for (int port = 1; port <= is.physicalPortCount(); port++) {
            PortAttributes p = f.context.port(port);
            assertThat(p.gidTableLength()).isPositive();
            assertThat(p.activeMtu()).isLessThanOrEqualTo(p.maxMtu());
            assertThat(f.context.gid(port, 0)).isNotNull();
        }
        assertThat(f.context.port(1).state()).isEqualTo(PortState.ACTIVE);
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
     * Who holds the asynchronous event of a CQ and closes it would wait for itself, and is told.
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

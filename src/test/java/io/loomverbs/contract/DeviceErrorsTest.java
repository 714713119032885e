package io.loomverbs.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.loomverbs.Access;
import io.loomverbs.AddressHandle;
import io.loomverbs.MemoryRegion;
import io.loomverbs.Mtu;
import io.loomverbs.PostException;
import io.loomverbs.QpAttributes;
import io.loomverbs.QpState;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.RecvWorkRequest;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.VerbsException;
import io.loomverbs.WcStatus;
import io.loomverbs.WorkCompletion;
import io.loomverbs.support.Differences;
import io.loomverbs.support.Fixture;
import io.loomverbs.support.Fixture.Pair;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.stream.Stream;

/** What fails on its way, how the sender is told, and what is flushed or lost. */
class DeviceErrorsTest extends DeviceContract {
    interface Request {
        SendWorkRequest of(Pair p);
    }

    static Stream<Arguments> errors() {
        Access[] all = Fixture.anything();
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

    /** The first packet names the whole range, so nothing is written if that is not all there. */
    @Test
    void aWriteThatLeavesItsRegionWritesNothing() {
        Pair p = impatient(Fixture.anything());
        long tail = p.bMemory.length() - 12;
        p.aMemory.memory().fill((byte) 1);
        p.bMemory.memory().fill((byte) 0);
        p.a.postSend(
                p.send(1, 8)
                        .sge(p.aMemory, 64, 8)
                        .rdmaWrite(p.bMemory.address() + tail, p.bMemory.rkey()));
        assertThat(Fixture.pollOne(sends).status()).isEqualTo(WcStatus.REM_ACCESS_ERR);
        assertThat(p.bMemory.memory().asSlice(tail).toArray(ValueLayout.JAVA_BYTE)).containsOnly(0);
    }

    /**
     * The last packet of a WRITE with immediate needs a receive request: if it is the only one then
     * before its key is looked at, else after that of the first.
     */
    @ParameterizedTest
    @ValueSource(ints = {8, 3000})
    void aWriteWithImmediateWithoutAReceiveRequest(int length) {
        Pair p = impatient(Fixture.anything());
        p.a.postSend(p.send(1, length).rdmaWriteWithImm(p.bMemory.address(), ~p.bMemory.rkey(), 5));
        assertThat(Fixture.pollOne(sends).status())
                .isEqualTo(length == 8 ? WcStatus.RNR_RETRY_EXC_ERR : WcStatus.REM_ACCESS_ERR);
    }

    /** Without a receive request a reliable sender tries as often as told, then says so. */
    @Test
    void noReceiveRequestIsAnErrorAfterRetries() {
        Pair p = impatient();
        p.a.postSend(p.send(1, 8));
        assertThat(Fixture.pollOne(sends).status()).isEqualTo(WcStatus.RNR_RETRY_EXC_ERR);
    }

    /** A reliable sender that may retry indefinitely goes on when the receive request comes. */
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

    /** A change that names another state than the queue pair is in is refused. */
    @Test
    void aWrongCurrentStateIsRefused() {
        QueuePair qp = impatient().a;
        qp.modify(QpAttributes.builder().state(QpState.ERR).build());
        QpAttributes wrong =
                QpAttributes.builder().state(QpState.RTS).curState(QpState.RTS).build();

        if (Differences.knowsItsState()) {
            assertThatThrownBy(() -> qp.modify(wrong))
                    .isInstanceOfSatisfying(
                            VerbsException.class,
                            e -> assertThat(e.errnoName()).isEqualTo("EINVAL"));
            assertThat(qp.state()).isEqualTo(QpState.ERR);
        } else {
            qp.modify(wrong);
            assertThat(qp.state()).isEqualTo(QpState.RTS);
        }
    }

    /** The memory for what a READ or an atomic fetches is looked at when the answer comes. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void memoryForAnAnswerIsCheckedWhenThereIsOne(boolean atomic) {
        Pair p = impatient(Access.REMOTE_READ, Access.REMOTE_ATOMIC);
        MemoryRegion readOnly = f.own(f.pd.allocateMr(64));
        long addr = p.bMemory.address();
        int rkey = p.bMemory.rkey();
        SendWorkRequest wr = SendWorkRequest.allocate(1, 0).wrId(1).sge(readOnly, 0, 8);
        p.b.close();

        p.a.postSend(atomic ? wr.fetchAndAdd(addr, rkey, 1) : wr.rdmaRead(addr, rkey));

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

    /**
     * A pair with small packets that gives up soon, and whose receiver allows only what is named.
     */
    private Pair impatient(Access... access) {
        return f
        .new Pair(
                QpType.RC,
                sending(QpType.RC),
                receiving(QpType.RC),
                QpAttributes.builder()
                        .access(access)
                        .pathMtu(Mtu.MTU_1024)
                        .timeout(8)
                        .retryCnt(1)
                        .rnrRetry(1)
                        .minRnrTimer(1)
                        .build());
    }
}

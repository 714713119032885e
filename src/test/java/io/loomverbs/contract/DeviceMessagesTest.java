package io.loomverbs.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.loomverbs.PostException;
import io.loomverbs.QpType;
import io.loomverbs.RecvWorkRequest;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.WcOpcode;
import io.loomverbs.WcStatus;
import io.loomverbs.WorkCompletion;
import io.loomverbs.support.Fixture;
import io.loomverbs.support.Fixture.Pair;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.lang.foreign.MemorySegment;
import java.util.List;

/** What arrives of messages and one-sided operations, and what the completions say. */
class DeviceMessagesTest extends DeviceContract {
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

    private static void fill(MemorySegment memory, long from, int length) {
        for (int i = 0; i < length; i++) {
            memory.set(JAVA_BYTE, from + i, (byte) (i * 7 + 3));
        }
    }

    private static void same(MemorySegment a, long from, MemorySegment b, long at, int length) {
        assertThat(MemorySegment.mismatch(a, from, from + length, b, at, at + length))
                .isEqualTo(-1);
    }
}

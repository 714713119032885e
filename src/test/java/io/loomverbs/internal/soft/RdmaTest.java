package io.loomverbs.internal.soft;

import static org.assertj.core.api.Assertions.assertThat;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.loomverbs.internal.device.DeviceOps;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.SendWr;
import io.loomverbs.internal.soft.SoftFixture.Peer;
import io.loomverbs.internal.soft.SoftFixture.Wc;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.lang.foreign.MemorySegment;
import java.util.Random;

/** Operations on the memory of the peer, and lists of pieces. */
class RdmaTest {
    private static final int HALF = 8192;

    private final SoftFixture fixture = new SoftFixture();

    @ParameterizedTest
    @ValueSource(ints = {Ibv.QPT_RC, Ibv.QPT_UC})
    void aWriteArrivesAndTellsNobody(int type) {
        Peer[] p = fixture.pair(type);
        p[0].memory.set(JAVA_LONG, 0, 42);
        p[1].recv(7, 0, 8);

        p[0].send(p[0].rdma(1, Ibv.WR_RDMA_WRITE, 8, p[1]));

        Wc wc = p[0].send.one();
        assertThat(wc.opcode()).isEqualTo(Ibv.WC_RDMA_WRITE);
        assertThat(p[1].memory.get(JAVA_LONG, 0)).isEqualTo(42);
        assertThat(p[1].recv.poll()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(ints = {Ibv.QPT_RC, Ibv.QPT_UC})
    void aWriteWithImmediateUsesUpABufferWithoutTouchingIt(int type) {
        Peer[] p = fixture.pair(type);
        p[0].memory.set(JAVA_LONG, 0, 42);
        p[1].recv(7, 4096, 4);
        SendWr wr = p[0].rdma(1, Ibv.WR_RDMA_WRITE_WITH_IMM, 8, p[1]);
        wr.immData(5);

        p[0].send(wr);

        Wc wc = p[1].recv.one();
        assertThat(wc.opcode()).isEqualTo(Ibv.WC_RECV_RDMA_WITH_IMM);
        assertThat(wc.byteLen()).isEqualTo(8);
        assertThat(wc.imm()).isEqualTo(5);
        assertThat(wc.flags()).isEqualTo(Ibv.WC_WITH_IMM);
        assertThat(p[1].memory.get(JAVA_LONG, 4096)).isZero();
        assertThat(p[1].memory.get(JAVA_LONG, 0)).isEqualTo(42);
    }

    @Test
    void aReadFetches() {
        Peer[] p = fixture.pair(Ibv.QPT_RC);
        p[1].memory.set(JAVA_LONG, 0, 42);

        p[0].send(p[0].rdma(1, Ibv.WR_RDMA_READ, 8, p[1]));

        Wc wc = p[0].send.one();
        assertThat(wc.opcode()).isEqualTo(Ibv.WC_RDMA_READ);
        assertThat(wc.byteLen()).isEqualTo(8);
        assertThat(p[0].memory.get(JAVA_LONG, 0)).isEqualTo(42);
    }

    @Test
    void atomicsChangeAndReturnWhatWasThere() {
        Peer[] p = fixture.pair(Ibv.QPT_RC);
        p[1].memory.set(JAVA_LONG, 0, 40);

        p[0].send(p[0].atomic(1, Ibv.WR_ATOMIC_FETCH_AND_ADD, p[1], 2, 0));
        assertThat(p[0].memory.get(JAVA_LONG, 0)).isEqualTo(40);
        assertThat(p[1].memory.get(JAVA_LONG, 0)).isEqualTo(42);
        p[0].send(p[0].atomic(2, Ibv.WR_ATOMIC_CMP_AND_SWP, p[1], 41, 7));
        assertThat(p[0].memory.get(JAVA_LONG, 0)).isEqualTo(42);
        assertThat(p[1].memory.get(JAVA_LONG, 0)).isEqualTo(42);
        p[0].send(p[0].atomic(3, Ibv.WR_ATOMIC_CMP_AND_SWP, p[1], 42, 7));
        assertThat(p[0].memory.get(JAVA_LONG, 0)).isEqualTo(42);
        assertThat(p[1].memory.get(JAVA_LONG, 0)).isEqualTo(7);

        assertThat(p[0].send.poll())
                .extracting(Wc::opcode)
                .containsExactly(Ibv.WC_FETCH_ADD, Ibv.WC_COMP_SWAP, Ibv.WC_COMP_SWAP);
    }

    @Test
    void inlineDataIsReadWhenPosted() {
        Peer[] p = fixture.pair(Ibv.QPT_RC);
        p[0].memory.set(JAVA_LONG, 0, 42);
        SendWr wr = p[0].wr(1, Ibv.WR_RDMA_WRITE, 8);
        wr.rdma(p[1].memory.address(), p[1].mr.rkey());
        wr.inline(p[0].memory, 0, 64);
        SendWr send = p[0].wr(2, Ibv.WR_SEND, 8);
        send.inline(p[0].memory, 0, 8);
        p[0].send(wr);
        p[0].send(send);
        send.inline(p[1].memory, 512, 8);

        p[1].recv(7, 256, 8);

        assertThat(p[1].memory.get(JAVA_LONG, 0)).isEqualTo(42);
        assertThat(p[1].memory.get(JAVA_LONG, 256)).isEqualTo(42);
        assertThat(p[0].send.poll()).extracting(Wc::byteLen).containsExactly(64, 8);
    }

    /** Seeded lists of pieces, against a plain copy. */
    @ParameterizedTest
    @ValueSource(ints = {Ibv.WR_SEND, Ibv.WR_RDMA_WRITE, Ibv.WR_RDMA_READ})
    void piecesAreGatheredAndScatteredInOrder(int opcode) {
        Peer[] p = fixture.pair(Ibv.QPT_RC);
        Random random = new Random(opcode);
        for (int round = 0; round < 300; round++) {
            for (int i = 0; i < HALF; i += 8) {
                p[0].memory.set(JAVA_LONG, i, random.nextLong());
                p[1].memory.set(JAVA_LONG, i, random.nextLong());
            }
            int pieces = random.nextInt(5);
            SendWr wr = p[0].rdma(round, opcode, 0, p[1]);
            int[] at = new int[pieces];
            int[] size = new int[pieces];
            int total = 0;
            for (int i = 0; i < pieces; i++) {
                at[i] = 2048 * i + random.nextInt(1000);
                size[i] = random.nextInt(4) == 0 ? 0 : random.nextInt(1000);
                wr.sge(i, p[0].memory.address() + at[i], size[i], p[0].mr.lkey());
                total += size[i];
            }
            wr.numSge(pieces);
            wr.rdma(p[1].memory.address() + HALF, p[1].mr.rkey());
            byte[] listed = join(p[0].memory, at, size, total);
            byte[] remote = p[1].memory.asSlice(HALF, total).toArray(JAVA_BYTE);
            int[] into = {HALF, HALF + 3000, HALF + 3000};
            int[] room = {total / 2, 0, total - total / 2};
            var buffer = p[1].buffer(round, 0, 0);
            for (int i = 0; i < 3; i++) {
                buffer.sge(i, p[1].memory.address() + into[i], room[i], p[1].mr.lkey());
            }
            buffer.numSge(3);
            if (opcode == Ibv.WR_SEND) {
                assertThat(p[1].qp.postRecv(buffer)).isZero();
            }

            p[0].send(wr);

            assertThat(p[0].send.one().status()).isEqualTo(Ibv.WC_SUCCESS);
            switch (opcode) {
                case Ibv.WR_SEND -> {
                    assertThat(p[1].recv.one().byteLen()).isEqualTo(total);
                    assertThat(join(p[1].memory, into, room, total)).isEqualTo(listed);
                }
                case Ibv.WR_RDMA_WRITE ->
                        assertThat(p[1].memory.asSlice(HALF, total).toArray(JAVA_BYTE))
                                .isEqualTo(listed);
                default -> assertThat(join(p[0].memory, at, size, total)).isEqualTo(remote);
            }
        }
    }

    private static byte[] join(MemorySegment memory, int[] at, int[] size, int total) {
        byte[] all = new byte[total];
        int done = 0;
        for (int i = 0; i < at.length; i++) {
            MemorySegment.copy(memory, JAVA_BYTE, at[i], all, done, size[i]);
            done += size[i];
        }
        return all;
    }

    @Test
    void aQueuePairMayTalkToItself() {
        Peer p = fixture.peer(Ibv.QPT_RC).init();
        p.rtr(p.qp.qpNum()).rts();
        p.recv(7, 4096, 64);

        p.send(p.wr(1, Ibv.WR_SEND, 8));

        assertThat(p.recv.one().wrId()).isEqualTo(7);
        assertThat(p.send.one().wrId()).isEqualTo(1);
    }

    @Test
    void contextsOfOneDeviceTalkToEachOther() {
        SoftDeviceProvider provider = new SoftDeviceProvider();
        assertThat(provider.devices())
                .extracting(DeviceOps::name)
                .containsExactly("soft0", "strict0");
        assertThat(new SoftDeviceProvider().devices().getFirst())
                .isSameAs(provider.devices().getFirst());
    }
}

package io.loomverbs.internal.soft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.loomverbs.internal.device.AhAttr;
import io.loomverbs.internal.device.AhOps;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.PostResult;
import io.loomverbs.internal.device.SendWr;
import io.loomverbs.internal.device.WcStruct;
import io.loomverbs.internal.soft.SoftFixture.Peer;
import io.loomverbs.internal.soft.SoftFixture.Wc;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HexFormat;

/** Unreliable connections and datagrams: what arrives, and what is lost without a word. */
class UnreliableTest {
    private static final AhAttr BY_LID = new AhAttr(0, 0, false, 0, 0, 0, 0, 1, 0, 1);
    private static final AhAttr BY_GID =
            new AhAttr(SoftPort.GID_HIGH, SoftPort.GUID, true, 0, 64, 0x12, 0x34567, 0, 0, 1);

    private final SoftFixture fixture = new SoftFixture();
    private final Peer a = fixture.peer(Ibv.QPT_UD).init().rtr(0).rts();
    private final Peer b = fixture.peer(Ibv.QPT_UD).init().rtr(0).rts();

    private SendWr datagram(long wrId, int length, AhAttr to) {
        SendWr wr = a.wr(wrId, Ibv.WR_SEND, length);
        wr.ud(fixture.pd.createAh(to), b.qp.qpNum(), SoftFixture.QKEY);
        return wr;
    }

    private void goesNowhere(SendWr wr) {
        a.send(wr);
        assertThat(a.send.one().status()).isEqualTo(Ibv.WC_SUCCESS);
        assertThat(b.recv.poll()).isEmpty();
        assertThat(b.async).isEmpty();
        assertThat(b.state()).isEqualTo(Ibv.QPS_RTS);
    }

    @Test
    void aDatagramArrivesBehindTheRoomForAHeader() {
        a.memory.set(JAVA_LONG, 0, 42);
        b.memory.fill((byte) -1);
        b.recv(7, 0, 40 + 8);

        a.send(datagram(1, 8, BY_LID));

        assertThat(b.recv.one())
                .isEqualTo(
                        new Wc(
                                7,
                                Ibv.WC_SUCCESS,
                                Ibv.WC_RECV,
                                48,
                                0,
                                b.qp.qpNum(),
                                a.qp.qpNum(),
                                0,
                                1));
        assertThat(b.memory.get(JAVA_LONG, 40)).isEqualTo(42);
        assertThat(b.memory.get(JAVA_BYTE, 39)).isEqualTo((byte) -1);
    }

    @Test
    void aGlobalAddressBringsItsHeader() {
        b.recv(7, 0, 64);
        SendWr wr = datagram(1, 5, BY_GID);
        wr.opcode(Ibv.WR_SEND_WITH_IMM);
        wr.immData(9);

        a.send(wr);

        Wc wc = b.recv.one();
        assertThat(wc.flags()).isEqualTo(Ibv.WC_GRH | Ibv.WC_WITH_IMM);
        assertThat(wc.imm()).isEqualTo(9);
        assertThat(wc.byteLen()).isEqualTo(45);
        String gid = "fe80000000000000024c4ffffe4f4d30";
        // BTH 12, DETH 8, immediate 4, payload padded 8, ICRC 4.
        assertThat(HexFormat.of().formatHex(b.memory.asSlice(0, 40).toArray(JAVA_BYTE)))
                .isEqualTo("61234567" + "0024" + "1b" + "40" + gid + gid);
    }

    /** As {@code ibv_poll_cq} says; all that shares its word is there, too. */
    @ParameterizedTest
    @ValueSource(ints = {0, 3, 15})
    void theServiceLevelArrives(int sl) {
        b.recv(7, 0, 64);
        a.send(datagram(1, 8, new AhAttr(0, 0, false, 0, 0, 0, 0, 1, sl, 1)));
        MemorySegment wcs = Arena.ofAuto().allocate(WcStruct.BYTES, 8);
        assertThat(b.recv.ops.poll(wcs, 0, 1)).isOne();
        assertThat(WcStruct.sl(wcs, 0)).isEqualTo(sl);
        assertThat(WcStruct.slid(wcs, 0)).isEqualTo(1);
        assertThat(WcStruct.status(wcs, 0)).isEqualTo(Ibv.WC_SUCCESS);
        assertThat(WcStruct.opcode(wcs, 0)).isEqualTo(Ibv.WC_RECV);
    }

    @Test
    void aBufferInPiecesIsFilledAcrossThem() {
        a.memory.set(JAVA_LONG, 0, 0x1122334455667788L);
        var buffer = b.buffer(7, 0, 16);
        buffer.sge(1, b.memory.address() + 1000, 26, b.mr.lkey());
        buffer.sge(2, b.memory.address() + 2000, 100, b.mr.lkey());
        buffer.numSge(3);
        assertThat(b.qp.postRecv(buffer)).isZero();

        a.send(datagram(1, 8, BY_GID));

        assertThat(b.recv.one().byteLen()).isEqualTo(48);
        assertThat(b.memory.get(JAVA_BYTE, 0)).isEqualTo((byte) 0x61);
        assertThat(b.memory.get(JAVA_BYTE, 1024)).isEqualTo((byte) 0x88);
        assertThat(b.memory.get(JAVA_BYTE, 2000)).isEqualTo((byte) 0x66);
    }

    @Test
    void aDatagramFillsAPacketAndNoMore() {
        b.recv(7, 0, 8000);
        b.recv(8, 0, 8000);
        goesNowhere(datagram(1, SoftPort.MTU_BYTES + 1, BY_LID));

        a.send(datagram(2, SoftPort.MTU_BYTES, BY_LID));

        assertThat(b.recv.one().byteLen()).isEqualTo(SoftPort.MTU_BYTES + 40);
    }

    @ParameterizedTest
    @CsvSource({"2, 0, 0", "0, 1, 2"})
    void anotherAddressLeadsNowhere(int dlid, long high, long low) {
        b.recv(7, 0, 64);
        goesNowhere(datagram(1, 8, new AhAttr(high, low, high != 0, 0, 0, 0, 0, dlid, 0, 1)));
    }

    @Test
    void nobodyNoBufferOrTooSmallABufferLosesTheDatagram() {
        goesNowhere(datagram(1, 8, BY_LID));
        b.recv(7, 0, 47);
        goesNowhere(datagram(2, 8, BY_LID));
        SendWr wr = datagram(3, 8, BY_LID);
        wr.ud(fixture.pd.createAh(BY_LID), 5, SoftFixture.QKEY);
        goesNowhere(wr);
        wr.ud(
                fixture.pd.createAh(BY_LID),
                fixture.pair(Ibv.QPT_RC)[0].qp.qpNum(),
                SoftFixture.QKEY);
        goesNowhere(wr);
    }

    @Test
    void theKeyMustMatchAndItsHighBitMeansOnesOwn() {
        b.recv(7, 0, 64);
        SendWr wr = datagram(1, 8, BY_LID);
        wr.ud(fixture.pd.createAh(BY_LID), b.qp.qpNum(), SoftFixture.QKEY + 1);
        goesNowhere(wr);
        wr.ud(fixture.pd.createAh(BY_LID), b.qp.qpNum(), 0x8000_0000);

        a.send(wr);

        assertThat(b.recv.one().status()).isEqualTo(Ibv.WC_SUCCESS);
    }

    @Test
    void anUnusableBufferFailsTheReceiverOnly() {
        var buffer = b.buffer(7, 0, 64);
        buffer.sge(0, b.memory.address(), 64, b.mr.lkey() + 1);
        assertThat(b.qp.postRecv(buffer)).isZero();

        a.send(datagram(1, 8, BY_LID));

        assertThat(a.send.one().status()).isEqualTo(Ibv.WC_SUCCESS);
        assertThat(b.recv.one().status()).isEqualTo(Ibv.WC_LOC_PROT_ERR);
        assertThat(b.state()).isEqualTo(Ibv.QPS_ERR);
    }

    @Test
    void anAddressHandleMustBeUsable() {
        SendWr wr = a.wr(1, Ibv.WR_SEND, 8);
        assertThat(a.qp.postSend(wr)).isEqualTo(PostResult.failed(Errno.EINVAL, 0));
        AhOps ah = fixture.context.allocPd().createAh(BY_LID);
        wr.ud(ah, b.qp.qpNum(), SoftFixture.QKEY);

        a.send(wr);

        assertThat(a.send.one().status()).isEqualTo(Ibv.WC_LOC_QP_OP_ERR);
        assertThat(a.state()).isEqualTo(Ibv.QPS_SQE);
    }

    /** A program that goes on as soon as it learns of the failure, when the rest is not flushed. */
    @ParameterizedTest
    @ValueSource(ints = {Ibv.QPT_UD, Ibv.QPT_UC})
    void whatWasPostedBeforeTheFailureIsFlushedWhenTheQueueGoesOn(int type) {
        Peer p = type == Ibv.QPT_UD ? a : fixture.pair(type)[0];
        AhOps ah = fixture.pd.createAh(BY_LID);
        SendWr first = null;
        SendWr last = null;
        for (int i = 1; i <= 5; i++) {
            SendWr wr = p.wr(i, Ibv.WR_SEND, 8);
            if (i == 1) {
                wr.sge(0, p.memory.address(), 8, p.mr.lkey() + 1);
            }
            if (type == Ibv.QPT_UD) {
                wr.ud(ah, b.qp.qpNum(), SoftFixture.QKEY);
            }
            if (last == null) {
                first = wr;
            } else {
                last.next(wr);
            }
            last = wr;
        }
        p.send.told =
                () -> {
                    p.send.told = () -> {};
                    p.attr.curQpState = Ibv.QPS_SQE;
                    assertThat(p.modify(Ibv.QPS_RTS, Ibv.QP_STATE | Ibv.QP_CUR_STATE)).isZero();
                };
        p.send.ops.reqNotify(false);

        p.send(first);

        assertThat(p.send.poll())
                .extracting(Wc::wrId, Wc::status)
                .containsExactly(
                        tuple(1L, Ibv.WC_LOC_PROT_ERR),
                        tuple(2L, Ibv.WC_WR_FLUSH_ERR),
                        tuple(3L, Ibv.WC_WR_FLUSH_ERR),
                        tuple(4L, Ibv.WC_WR_FLUSH_ERR),
                        tuple(5L, Ibv.WC_WR_FLUSH_ERR));
        assertThat(p.state()).isEqualTo(Ibv.QPS_RTS);
    }

    @ParameterizedTest
    @ValueSource(ints = {Ibv.WR_SEND, Ibv.WR_RDMA_WRITE_WITH_IMM, Ibv.WR_RDMA_WRITE})
    void whatAConnectionWouldRefuseIsLost(int opcode) {
        Peer[] p = fixture.pair(Ibv.QPT_UC);
        p[1].memory.fill((byte) 0);
        p[0].memory.fill((byte) 7);
        if (opcode == Ibv.WR_RDMA_WRITE) {
            SendWr wr = p[0].rdma(1, opcode, 8, p[1]);
            wr.rdma(p[1].memory.address(), p[1].mr.rkey() + 1);
            p[0].send(wr);
        } else {
            p[0].send(p[0].rdma(1, opcode, 8, p[1]));
        }
        assertThat(p[0].send.one().status()).isEqualTo(Ibv.WC_SUCCESS);
        assertThat(p[1].memory.get(JAVA_LONG, 0)).isZero();
        assertThat(p[1].state()).isEqualTo(Ibv.QPS_RTS);
        assertThat(p[1].async).isEmpty();
    }

    @Test
    void aConnectionLosesWhatIsTooLongOrNotForIt() {
        Peer[] p = fixture.pair(Ibv.QPT_UC);
        p[1].recv(7, 0, 4);
        p[0].send(p[0].wr(1, Ibv.WR_SEND, 8));
        assertThat(p[0].send.one().status()).isEqualTo(Ibv.WC_SUCCESS);
        assertThat(p[1].recv.poll()).isEmpty();
        p[0].send(p[0].wr(2, Ibv.WR_SEND, 4));
        assertThat(p[1].recv.one().wrId()).isEqualTo(7);

        Peer c = fixture.peer(Ibv.QPT_UC).init().rtr(p[1].qp.qpNum()).rts();
        p[1].recv(8, 0, 64);
        c.send(c.wr(3, Ibv.WR_SEND, 4));
        assertThat(c.send.one().status()).isEqualTo(Ibv.WC_SUCCESS);
        assertThat(p[1].recv.poll()).isEmpty();
    }
}

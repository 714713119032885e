package io.loomverbs.internal.soft;

import static org.assertj.core.api.Assertions.assertThat;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.MrOps;
import io.loomverbs.internal.device.RecvWr;
import io.loomverbs.internal.device.SendWr;
import io.loomverbs.internal.device.SrqAttr;
import io.loomverbs.internal.device.SrqOps;
import io.loomverbs.internal.soft.SoftFixture.Peer;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Memory that is a file's, which another process shortens: the side whose memory it is has a
 * protection error, as if an arena were closed, and the other side what a real device would tell
 * it.
 */
@Timeout(60)
class ShortenedFileTest {
    private static final int BYTES = 16_384;

    private final SoftFixture fixture = new SoftFixture();
    private final Peer[] p = fixture.pair(Ibv.QPT_RC);
    private final Peer a = p[0];
    private final Peer b = p[1];
    private final Path path = Files.createTempFile("mapped", ".bin");
    private final FileChannel file =
            FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE);
    private final MemorySegment mapped = file.map(MapMode.READ_WRITE, 0, BYTES, Arena.ofAuto());
    private final MrOps mr = fixture.pd.regMr(mapped, SoftFixture.REMOTE_ALL);

    ShortenedFileTest() throws IOException {}

    @AfterEach
    void deleteFile() throws IOException {
        file.close();
        Files.delete(path);
    }

    private void shorten() throws IOException {
        file.truncate(0);
    }

    private SendWr sendMapped(int bytes) {
        SendWr wr = a.wr(1, Ibv.WR_SEND, bytes);
        wr.sge(0, mapped.address(), bytes, mr.lkey());
        return wr;
    }

    private void receiveMapped(int bytes) {
        RecvWr wr = new RecvWr(1);
        wr.wrId(9);
        wr.sge(0, mapped.address(), bytes, mr.lkey());
        wr.numSge(1);
        assertThat(b.qp.postRecv(wr)).isZero();
    }

    /** Small and large, since they are copied in different ways. */
    @ParameterizedTest
    @ValueSource(ints = {8, 63, 4096, 8192})
    void theSendersMemory(int bytes) throws IOException {
        shorten();
        b.recv(7, 0, 8192);

        a.send(sendMapped(bytes));

        assertThat(a.send.one().status()).isEqualTo(Ibv.WC_LOC_PROT_ERR);
        assertThat(a.state()).isEqualTo(Ibv.QPS_ERR);
        assertThat(b.recv.poll()).isEmpty();
        assertThat(b.state()).isEqualTo(Ibv.QPS_RTS);
    }

    /** What a sender cannot read is its own fault: a shared request stays, and is the next. */
    @Test
    void theSendersMemoryUsesNoSharedRequest() throws IOException {
        SrqOps srq = fixture.pd.createSrq(new SrqAttr(4, 4, 0), type -> {});
        Peer c = fixture.peer(Ibv.QPT_RC).init();
        Peer d = fixture.peer(Ibv.QPT_RC, srq).init();
        SoftFixture.connect(c, d);
        assertThat(srq.postRecv(d.buffer(1, 0, 64))).isZero();
        assertThat(srq.postRecv(d.buffer(2, 0, 64))).isZero();
        shorten();
        SendWr wr = c.wr(1, Ibv.WR_SEND, 8);
        wr.sge(0, mapped.address(), 8, mr.lkey());
        c.send(wr);
        assertThat(c.send.one().status()).isEqualTo(Ibv.WC_LOC_PROT_ERR);
        assertThat(d.recv.poll()).isEmpty();

        Peer e = fixture.peer(Ibv.QPT_RC).init();
        Peer f = fixture.peer(Ibv.QPT_RC, srq).init();
        SoftFixture.connect(e, f);
        e.send(e.wr(2, Ibv.WR_SEND, 16));
        assertThat(f.recv.one().wrId()).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(ints = {8, 63, 4096, 8192})
    void theReceiversMemory(int bytes) throws IOException {
        shorten();
        receiveMapped(bytes);

        a.send(a.wr(1, Ibv.WR_SEND, bytes));

        assertThat(a.send.one().status()).isEqualTo(Ibv.WC_REM_OP_ERR);
        assertThat(b.recv.one().status()).isEqualTo(Ibv.WC_LOC_PROT_ERR);
        assertThat(b.state()).isEqualTo(Ibv.QPS_ERR);
    }

    @ParameterizedTest
    @ValueSource(
            ints = {
                Ibv.WR_RDMA_WRITE,
                Ibv.WR_RDMA_READ,
                Ibv.WR_ATOMIC_FETCH_AND_ADD,
                Ibv.WR_ATOMIC_CMP_AND_SWP
            })
    void theRemoteMemory(int opcode) throws IOException {
        shorten();
        SendWr wr = a.wr(1, opcode, 8);
        if (opcode == Ibv.WR_RDMA_WRITE || opcode == Ibv.WR_RDMA_READ) {
            wr.rdma(mapped.address(), mr.rkey());
        } else {
            wr.atomic(mapped.address(), mr.rkey(), 1, 1);
        }

        a.send(wr);

        assertThat(a.send.one().status()).isEqualTo(Ibv.WC_REM_ACCESS_ERR);
        assertThat(b.async).containsExactly(Ibv.EVENT_QP_ACCESS_ERR);
    }

    /** Both ends are files, and the target's alone is shortened. */
    @Test
    void bothAreFiles() throws IOException {
        Path other = Files.createTempFile("mapped", ".bin");
        try (FileChannel source =
                FileChannel.open(other, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            MemorySegment whole = source.map(MapMode.READ_WRITE, 0, BYTES, Arena.ofAuto());
            MrOps wholeMr = fixture.pd.regMr(whole, SoftFixture.REMOTE_ALL);
            shorten();
            receiveMapped(8192);
            SendWr wr = a.wr(1, Ibv.WR_SEND, 8192);
            wr.sge(0, whole.address(), 8192, wholeMr.lkey());
            a.send(wr);
            assertThat(a.send.one().status()).isEqualTo(Ibv.WC_REM_OP_ERR);
            assertThat(b.recv.one().status()).isEqualTo(Ibv.WC_LOC_PROT_ERR);
        } finally {
            Files.delete(other);
        }
    }

    /** In compiled code the error comes later than the access. */
    @Test
    void inCompiledCode() throws IOException {
        for (int i = 0; i < 30_000; i++) {
            mapped.set(JAVA_LONG, 0, i);
            b.recv(i, 0, 4096);
            a.send(sendMapped(i % 2 == 0 ? 8 : 4096));
            assertThat(a.send.one().status()).isZero();
            assertThat(b.recv.one().status()).isZero();
        }
        shorten();
        b.recv(7, 0, 4096);
        a.send(sendMapped(4096));
        assertThat(a.send.one().status()).isEqualTo(Ibv.WC_LOC_PROT_ERR);
        assertThat(b.state()).isEqualTo(Ibv.QPS_RTS);
    }
}

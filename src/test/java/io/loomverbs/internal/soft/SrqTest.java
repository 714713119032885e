package io.loomverbs.internal.soft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.PdOps;
import io.loomverbs.internal.device.PostResult;
import io.loomverbs.internal.device.QpInit;
import io.loomverbs.internal.device.RecvWr;
import io.loomverbs.internal.device.SrqAttr;
import io.loomverbs.internal.device.SrqOps;
import io.loomverbs.internal.soft.SoftFixture.Peer;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Shared receive queues, where it matters which device it is. */
@Timeout(30)
class SrqTest {
    private final SoftFixture fixture = new SoftFixture();
    private final List<Integer> events = new CopyOnWriteArrayList<>();
    private final SrqOps srq = fixture.pd.createSrq(new SrqAttr(4, 4, 0), events::add);

    private Peer receiver(Peer sender) {
        Peer receiver = fixture.peer(sender.type, srq).init();
        SoftFixture.connect(sender, receiver);
        return receiver;
    }

    private void post(Peer of, long wrId, int length) {
        assertThat(srq.postRecv(of.buffer(wrId, 0, length))).isEqualTo(PostResult.OK);
    }

    private void arm(int limit) {
        assertThat(srq.modify(new SrqAttr(0, 0, limit), Ibv.SRQ_LIMIT)).isZero();
    }

    /** A limit above what is posted is reached at once, and once. */
    @Test
    void aLimitThatIsReachedAlready() {
        Peer a = fixture.peer(Ibv.QPT_RC).init();
        Peer b = receiver(a);
        post(b, 1, 64);
        arm(2);
        assertThat(events).containsExactly(Ibv.EVENT_SRQ_LIMIT_REACHED);
        assertThat(srq.query()).isEqualTo(new SrqAttr(4, 4, 0));
        arm(1);
        assertThat(events).hasSize(1);
    }

    /** A strict device looks when a request was used, as soft-RoCE does. */
    @Test
    void aStrictDeviceLooksWhenARequestWasUsed() {
        SoftDevice strict = SoftDevice.strict(SoftLimits.STRICT);
        PdOps pd = strict.open((type, port) -> {}).allocPd();
        SoftSrq queue = (SoftSrq) pd.createSrq(new SrqAttr(4, 4, 0), events::add);
        RecvWr receive = new RecvWr(1);
        queue.postRecv(receive);
        assertThat(queue.modify(new SrqAttr(0, 0, 2), Ibv.SRQ_LIMIT)).isZero();
        assertThat(events).isEmpty();
        assertThat(queue.query().srqLimit()).isEqualTo(2);
        RecvSlot slot = queue.take(null);
        assertThat(queue.used(slot)).isTrue();
        assertThat(queue.query().srqLimit()).isZero();
        assertThat(queue.destroy()).isZero();
    }

    /** Soft-RoCE looks for keys in the domain of the queue pair, so a strict device wants one. */
    @Test
    void anotherDomain() {
        Peer a = fixture.peer(Ibv.QPT_RC).init();
        PdOps other = fixture.context.allocPd();
        SrqOps foreign = other.createSrq(new SrqAttr(4, 4, 0), events::add);
        Peer b = fixture.peer(Ibv.QPT_RC, foreign).init();
        SoftFixture.connect(a, b);
        assertThat(foreign.postRecv(b.buffer(7, 0, 64))).isEqualTo(PostResult.OK);
        a.send(a.wr(1, Ibv.WR_SEND, 16)); // the region is of the queue pair's domain
        assertThat(b.recv.one().status()).isEqualTo(Ibv.WC_LOC_PROT_ERR);
        assertThat(a.send.one().status()).isEqualTo(Ibv.WC_REM_OP_ERR);
        assertThat(b.async).containsExactly(Ibv.EVENT_QP_LAST_WQE_REACHED);

        SoftDevice strict = SoftDevice.strict(SoftLimits.STRICT);
        SoftContext context = (SoftContext) strict.open((type, port) -> {});
        SoftFixture.Cq cq = new SoftFixture.Cq();
        cq.ops = context.createCq(4, null, 0, cq);
        SrqOps first = context.allocPd().createSrq(new SrqAttr(4, 4, 0), events::add);
        PdOps second = context.allocPd();
        QpInit init = new QpInit(Ibv.QPT_RC, SoftFixture.CAP, false);
        assertThatThrownBy(() -> second.createQp(init, cq.ops, cq.ops, first, type -> {}))
                .isInstanceOfSatisfying(
                        DeviceException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EINVAL))
                .hasMessageContaining("another PD");
    }

    /** A message that is too long uses a request, and takes only its own queue pair down. */
    @Test
    void aMessageThatIsTooLongFailsOneQueuePair() {
        Peer a = fixture.peer(Ibv.QPT_RC).init();
        Peer b = receiver(a);
        post(b, 1, 8);
        post(b, 2, 8);
        arm(2);
        a.send(a.wr(1, Ibv.WR_SEND, 16));
        assertThat(b.recv.one().status()).isEqualTo(Ibv.WC_LOC_LEN_ERR);
        assertThat(events).containsExactly(Ibv.EVENT_SRQ_LIMIT_REACHED);
        assertThat(b.async).containsExactly(Ibv.EVENT_QP_LAST_WQE_REACHED);
        assertThat(b.recv.poll()).isEmpty();
        Peer c = fixture.peer(Ibv.QPT_RC).init();
        Peer d = receiver(c);
        c.send(c.wr(1, Ibv.WR_SEND, 8));
        assertThat(d.recv.one().wrId()).isEqualTo(2);
    }

    /** However often a program looks for the queue pair's own queue afterwards. */
    @Test
    void theLastRequestIsToldOnce() {
        Peer a = fixture.peer(Ibv.QPT_RC).init();
        Peer b = receiver(a).error();
        assertThat(b.async).containsExactly(Ibv.EVENT_QP_LAST_WQE_REACHED);

        assertThat(b.qp.postRecv(b.buffer(1, 0, 8))).isEqualTo(PostResult.failed(Errno.EINVAL, 0));
        b.error();

        assertThat(b.async).containsExactly(Ibv.EVENT_QP_LAST_WQE_REACHED);
    }

    /** The queue keeps no sender that is gone. */
    @Test
    void aStarvedSenderThatIsDestroyedIsForgotten() {
        Peer a = fixture.peer(Ibv.QPT_RC).init();
        Peer b = receiver(a);
        a.send(a.wr(1, Ibv.WR_SEND, 8));
        assertThat(((SoftSrq) srq).starvedSenders()).isEqualTo(1);
        assertThat(a.qp.destroy()).isZero();
        assertThat(((SoftSrq) srq).starvedSenders()).isZero();
        post(b, 1, 8);
        assertThat(b.recv.poll()).isEmpty();
    }

    @Test
    void aDestroyedQueueRefusesEverything() {
        Peer a = fixture.peer(Ibv.QPT_RC).init();
        Peer b = receiver(a);
        assertThat(srq.destroy()).isEqualTo(-Errno.EBUSY);
        b.qp.destroy();
        assertThat(srq.destroy()).isZero();
        assertThat(srq.isDestroyed()).isTrue();
        assertThat(srq.destroy()).isEqualTo(-Errno.EINVAL);
        assertThat(srq.modify(new SrqAttr(4, 4, 1), Ibv.SRQ_LIMIT)).isEqualTo(-Errno.EINVAL);
        assertThat(srq.postRecv(b.buffer(1, 0, 8))).isEqualTo(PostResult.failed(Errno.EINVAL, 0));
        assertThatThrownBy(srq::query).isInstanceOf(DeviceException.class);
        QpInit init = new QpInit(Ibv.QPT_RC, SoftFixture.CAP, false);
        assertThatThrownBy(() -> fixture.pd.createQp(init, a.send.ops, a.recv.ops, srq, t -> {}))
                .hasMessageContaining("destroyed");
    }

    /** Datagrams and unreliable connections lose what finds no request, and do not wait. */
    @Test
    void anEmptyQueueLosesUnreliableMessages() {
        Peer a = fixture.peer(Ibv.QPT_UC).init();
        Peer b = receiver(a);
        a.send(a.wr(1, Ibv.WR_SEND, 8));
        assertThat(a.send.one().status()).isEqualTo(Ibv.WC_SUCCESS);
        post(b, 1, 8);
        assertThat(b.recv.poll()).isEmpty();
        a.send(a.wr(2, Ibv.WR_SEND, 8));
        assertThat(b.recv.one().wrId()).isEqualTo(1);
    }
}

package io.loomverbs.internal.soft;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.soft.SoftFixture.Cq;

import org.junit.jupiter.api.Test;

/** An event that waits until a CQ holds several completions. */
class ArmForManyTest {
    private final SoftFixture fixture = new SoftFixture();
    private final Cq cq = fixture.cq(10);

    private int add() {
        return add(false);
    }

    private int add(boolean solicited) {
        SoftWc wc = new SoftWc().set(3, 1, Ibv.WC_SUCCESS, Ibv.WC_RECV, 1);
        wc.solicited = solicited;
        return ((SoftCq) cq.ops).add(wc);
    }

    @Test
    void theEventComesOnceThereAreSoMany() {
        add(); // held, and counted
        assertThat(cq.ops.reqNotifyAt(3)).isZero();
        assertThat(add()).isZero();
        assertThat(add()).isEqualTo(SoftCq.FIRED);
        assertThat(add()).isZero();
        assertThat(cq.ops.arms()).isOne();
        assertThat(cq.ops.events()).isOne();
    }

    @Test
    void theArmForTheFewestCounts() {
        cq.ops.reqNotifyAt(5);
        cq.ops.reqNotifyAt(2);
        cq.ops.reqNotifyAt(4);
        assertThat(add()).isZero();
        assertThat(add()).isEqualTo(SoftCq.FIRED);
    }

    @Test
    void anArmForTheNextOneStays() {
        cq.ops.reqNotify(false);
        cq.ops.reqNotifyAt(5);
        assertThat(add()).isEqualTo(SoftCq.FIRED);
        cq.ops.reqNotifyAt(5);
        cq.ops.reqNotify(false);
        assertThat(add()).isEqualTo(SoftCq.FIRED);
    }

    /** Nothing is known of how many are wanted of those. */
    @Test
    void anArmForSolicitedOnesIsForTheNextOneThen() {
        cq.ops.reqNotify(true);
        cq.ops.reqNotifyAt(5);
        assertThat(add()).isEqualTo(SoftCq.FIRED);
        cq.ops.reqNotifyAt(5);
        cq.ops.reqNotify(true);
        assertThat(add(true)).isEqualTo(SoftCq.FIRED);
    }

    /** It counts from the first completion after the arm on. */
    @Test
    void moderationCountsInItsPlace() {
        cq.ops.moderate(3, 0);
        cq.ops.reqNotifyAt(2);
        assertThat(add()).isZero();
        assertThat(add()).isZero();
        assertThat(add()).isEqualTo(SoftCq.FIRED);
    }

    /** A thread that armed it for the next one may have lost that event to another thread. */
    @Test
    void aLoweredArmIsForTheNextOne() {
        cq.ops.reqNotifyAt(5);
        cq.ops.lowerArm();
        assertThat(cq.ops.events()).isZero();
        assertThat(add()).isEqualTo(SoftCq.FIRED);
    }

    @Test
    void aLoweredArmIsUsedUpByWhatHasCome() {
        cq.ops.reqNotifyAt(5);
        add();
        cq.ops.lowerArm();
        assertThat(cq.ops.events()).isOne();
        assertThat(add()).isZero();
    }

    /** Else it would overrun before the event comes. */
    @Test
    void aSmallerCqRaisesTheEventEarlier() {
        cq.ops.reqNotifyAt(5);
        assertThat(cq.ops.resize(4)).isZero();
        assertThat(add()).isZero();
        assertThat(add()).isEqualTo(SoftCq.FIRED);
    }

    @Test
    void aDestroyedOneRefuses() {
        cq.ops.destroy();
        assertThat(cq.ops.reqNotifyAt(2)).isEqualTo(-Errno.EINVAL);
    }
}

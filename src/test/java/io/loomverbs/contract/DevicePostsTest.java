package io.loomverbs.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.loomverbs.PostException;
import io.loomverbs.QpAttributes;
import io.loomverbs.QpState;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.RecvWorkRequest;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.WorkCompletion;
import io.loomverbs.support.Fixture;
import io.loomverbs.support.Fixture.Pair;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** How much of a chain a queue pair has taken that refuses it. */
class DevicePostsTest extends DeviceContract {
    private static PostException refused(Runnable post) {
        PostException e = catchThrowableOfType(PostException.class, post::run);
        assertThat(e).as("the chain was taken").isNotNull();
        assertThat(e.errnoName()).isEqualTo("EINVAL");
        return e;
    }

    /** Nothing of a chain is posted in RESET, and that is what is said. */
    @ParameterizedTest
    @EnumSource
    void nothingIsPostedInReset(QpType type) {
        QueuePair qp = f.own(f.pd.createQp(sending(type)));
        RecvWorkRequest receives = RecvWorkRequest.allocate(1).next(RecvWorkRequest.allocate(1));
        assertThat(refused(() -> qp.postRecv(receives)).posted()).isZero();
        SendWorkRequest sends = SendWorkRequest.allocate(1, 0).next(SendWorkRequest.allocate(1, 0));
        assertThat(refused(() -> qp.postSend(sends)).posted()).isZero();
    }

    /** A send that was refused before the connection is not done after it. */
    @Test
    void whatWasRefusedIsNotDoneLater() throws Exception {
        Pair p = pair(QpType.RC);
        p.a.modify(QpAttributes.builder().state(QpState.RESET).build());
        p.b.modify(QpAttributes.builder().state(QpState.RESET).build());
        p.a.init();
        assertThat(refused(() -> p.a.postSend(p.send(1, 8).next(p.send(2, 8)))).posted()).isZero();
        p.a.connect(p.b.endpoint());
        p.b.connect(p.a.endpoint());
        p.recv(10);
        p.recv(11);
        p.recv(12);
        p.a.postSend(p.send(3, 16));
        WorkCompletion arrived = Fixture.pollOne(this.receives);
        assertThat(arrived.wrId()).isEqualTo(10);
        assertThat(arrived.byteLen()).isEqualTo(16);
        assertThat(Fixture.pollOne(this.sends).wrId()).isEqualTo(3);
        Thread.sleep(Fixture.QUIET);
        quiet();
    }
}

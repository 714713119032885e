package io.loomverbs.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.loomverbs.CompletionQueue;
import io.loomverbs.PostException;
import io.loomverbs.QpAttributes;
import io.loomverbs.QpConfig;
import io.loomverbs.QpState;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.RecvWorkRequest;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.VerbsException;
import io.loomverbs.support.Fixture;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.lang.foreign.MemorySegment;

/**
 * What is said of a request that a queue pair does not take. Devices have one errno for a full
 * queue and a request that is too large, so it has to be told from the request.
 */
@Timeout(60)
class PostRefusalTest {
    private final Fixture f = new Fixture();
    private final CompletionQueue cq = f.polled();
    private final QpConfig config =
            QpConfig.of(QpType.RC, cq).withWr(2, 2).withSge(2, 2).withInlineData(16);
    private final Fixture.Pair p = f.new Pair(QpType.RC, config, config);

    @AfterEach
    void nothingIsLeft() throws Exception {
        f.close();
    }

    private void refused(SendWorkRequest request, int posted, String why) {
        refused(() -> p.a.postSend(request), posted, why);
    }

    private static void refused(Runnable post, int posted, String why) {
        PostException e = catchThrowableOfType(PostException.class, post::run);
        assertThat(e).isNotNull().hasMessageContaining(why);
        assertThat(e.posted()).isEqualTo(posted);
    }

    private SendWorkRequest inline(int bytes) {
        return SendWorkRequest.allocate(1, bytes).inline(MemorySegment.ofArray(new byte[bytes]));
    }

    @Test
    void tooMuchInlineDataIsNamed() {
        refused(
                inline(17),
                0,
                "does not take request 0 of the chain: it has 17 bytes of inline"
                        + " data, but was granted 16");
        refused(p.send(1, 8).next(inline(99)), 1, "request 1 of the chain: it has 99 bytes");
    }

    @Test
    void tooManyEntriesAreNamed() {
        String why = "it has 3 scatter/gather entries, but was granted 2";
        refused(p.send(1, 8).sge(p.aMemory, 0, 8).sge(p.aMemory, 0, 8), 0, why);
        RecvWorkRequest many = RecvWorkRequest.allocate(3);
        for (int i = 0; i < 3; i++) {
            many.sge(p.bMemory, 0, 8);
        }
        refused(() -> p.b.postRecv(many), 0, why);
        RecvWorkRequest few = RecvWorkRequest.allocate(1).next(many);
        refused(() -> p.b.postRecv(few), 1, "request 1 of the chain: " + why);
    }

    @Test
    void aFullQueueIsNamed() {
        p.a.postSend(p.send(1, 8));
        p.a.postSend(p.send(2, 8)); // no thread takes them
        refused(p.send(3, 8), 0, "the send queue of " + p.a + " is full: it was granted 2");
        p.a.modify(QpAttributes.builder().state(QpState.RESET).build());
        refused(p.send(3, 8), 0, "in state RESET does not take request 0");
    }

    /** What was forgotten is said, and the way to it. */
    @Test
    void whatIsNotConnectedIsToldTo() {
        QueuePair rc = f.own(f.pd.createQp(config));
        RecvWorkRequest receive = RecvWorkRequest.allocate(1);
        refused(() -> rc.postSend(p.send(1, 8)), 0, "it must be in state RTS: connect it first");
        refused(() -> rc.postRecv(receive), 0, "in state INIT, RTR or RTS: init it first");
        QueuePair ud = f.own(f.pd.createQp(QpConfig.of(QpType.UD, cq)));
        refused(() -> ud.postSend(p.send(1, 8)), 0, "in state RTS: activate it first");
        p.a.modify(QpAttributes.builder().state(QpState.RESET).build());
        p.a.modify(
                QpAttributes.builder()
                        .state(QpState.INIT)
                        .pkeyIndex(0)
                        .portNum(1)
                        .access()
                        .build());
        p.a.postRecv(receive);
        refused(() -> p.a.postSend(p.send(1, 8)), 0, "in state INIT does not take request 0");
    }

    /** So is what was done already. */
    @Test
    void whatIsConnectedIsNotConnectedAgain() {
        assertThatThrownBy(() -> p.a.connect(p.b.endpoint()))
                .isInstanceOf(VerbsException.class)
                .hasMessageEndingWith(
                        p.a
                                + " is in state RTS, but connect begins in RESET or INIT, and it is"
                                + " connected already: to begin anew, modify its state to RESET"
                                + " first");
        p.a.modify(QpAttributes.builder().state(QpState.ERR).build());
        assertThatThrownBy(() -> p.a.connect(p.b.endpoint()))
                .hasMessageContaining(
                        "in state ERR, but connect begins in RESET or INIT: to begin anew");
        p.a.modify(QpAttributes.builder().state(QpState.RESET).build());
        p.a.connect(p.b.endpoint());
        assertThat(p.a.state()).isEqualTo(QpState.RTS);
        QueuePair ud = f.own(f.pd.createQp(QpConfig.of(QpType.UD, cq)));
        ud.activate(1);
        assertThatThrownBy(() -> ud.activate(1))
                .hasMessageContaining(
                        "in state RTS, but activate begins in RESET or INIT: to begin anew");
    }
}

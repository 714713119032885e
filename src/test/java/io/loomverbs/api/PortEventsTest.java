package io.loomverbs.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.AsyncEvent;
import io.loomverbs.AsyncEventType;
import io.loomverbs.CompletionQueue;
import io.loomverbs.CqEvent;
import io.loomverbs.Gid;
import io.loomverbs.Mtu;
import io.loomverbs.PortState;
import io.loomverbs.QpAttributes;
import io.loomverbs.QpConfig;
import io.loomverbs.QpEndpoint;
import io.loomverbs.QpState;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.VerbsException;
import io.loomverbs.WcStatus;
import io.loomverbs.support.Fixture;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * What is told of a port whose link goes away and comes back. Only in the guest, whose network is
 * of no other object.
 */
@Tag("guest")
@Timeout(60)
class PortEventsTest {
    private final Fixture f = new Fixture();

    @AfterEach
    void nothingIsLeft() throws Exception {
        link("up");
        f.close();
    }

    private static void link(String state) throws IOException, InterruptedException {
        Process ip =
                new ProcessBuilder("ip", "link", "set", "dum0", state)
                        .redirectErrorStream(true)
                        .start();
        String printed = new String(ip.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(ip.waitFor(10, TimeUnit.SECONDS)).isTrue();
        assertThat(ip.exitValue()).as(printed).isZero();
    }

    /**
     * The next event of this type; others that the change of the link brings along are passed over.
     */
    private AsyncEvent next(AsyncEventType type) throws InterruptedException {
        for (; ; ) {
            AsyncEvent event = f.context.getAsyncEvent(Fixture.PATIENCE);
            assertThat(event).as("%s within %s", type, Fixture.PATIENCE).isNotNull();
            if (event.type() == type) {
                return event;
            }
            event.close();
        }
    }

    /** Down and up, three times: a waiter is told of each, and sees the state of the port. */
    @Test
    void aLinkThatGoesAndComesIsTold() throws Exception {
        assertThat(f.context.port(1).state()).isEqualTo(PortState.ACTIVE);
        for (int round = 0; round < 3; round++) {
            Fixture.Task<AsyncEvent> waiter =
                    f.start("async", () -> next(AsyncEventType.PORT_ERR)).parked();
            link("down");
            try (AsyncEvent event = waiter.get()) {
                assertThat(event.port()).isEqualTo(1);
                assertThat(event.cq()).isNull();
                assertThat(event.qp()).isNull();
            }
            assertThat(f.context.port(1).state()).isEqualTo(PortState.DOWN);

            waiter = f.start("async", () -> next(AsyncEventType.PORT_ACTIVE)).parked();
            link("up");
            try (AsyncEvent event = waiter.get()) {
                assertThat(event.port()).isEqualTo(1);
            }
            Fixture.eventually(
                    "the port is active", () -> f.context.port(1).state() == PortState.ACTIVE);
        }
    }

    /** The kernel finds no route; why is that the link is down. */
    @Test
    void aRouteThatFailsNamesThePortThatIsDown() throws Exception {
        QueuePair qp = f.own(f.pd.createQp(QpConfig.of(QpType.RC, f.polled())));
        qp.init();
        QpEndpoint here = qp.endpoint();
        link("down");
        next(AsyncEventType.PORT_ERR).close();
        QpEndpoint elsewhere = new QpEndpoint(1, 1, 0, Gid.parse("10.99.0.77"), Mtu.MTU_1024);
        assertThatThrownBy(() -> qp.connect(elsewhere))
                .isInstanceOf(VerbsException.class)
                .hasMessageContaining("port 1 of " + f.context + " is DOWN");
        link("up");
        next(AsyncEventType.PORT_ACTIVE).close();
        Fixture.eventually(
                "the port is active", () -> f.context.port(1).state() == PortState.ACTIVE);
        qp.connect(here);
        assertThat(qp.state()).isEqualTo(QpState.RTS);
    }

    /** While the port is down completion events still come; closing needs no port. */
    @Test
    void aPortThatIsDownStopsNoClose() throws Exception {
        CompletionQueue cq = f.direct();
        Fixture.Pair pair = f.pair(f.polled(), cq);
        link("down");
        next(AsyncEventType.PORT_ERR).close();
        cq.reqNotify(false);
        pair.recv(1);
        pair.b.modify(QpAttributes.builder().state(QpState.ERR).build());
        try (CqEvent event = cq.getCqEvent(Fixture.PATIENCE)) {
            assertThat(event).isNotNull();
        }
        assertThat(Fixture.pollOne(cq).status()).isEqualTo(WcStatus.WR_FLUSH_ERR);
        pair.a.close();
        pair.b.close();
        cq.close(Duration.ofSeconds(10));
    }
}

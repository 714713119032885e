package io.loomverbs.internal.soft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.SendWr;
import io.loomverbs.internal.event.HelperThreads;
import io.loomverbs.internal.soft.SoftFixture.Peer;
import io.loomverbs.internal.soft.SoftFixture.Wc;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/** A defect of the device, or lack of memory, leaves no send queue without a runner. */
@Timeout(60)
class CrashTest {
    private final SoftFixture fixture = new SoftFixture();

    private static final class FailingHandler extends Handler {
        private final List<LogRecord> records = new ArrayList<>();

        @Override
        public synchronized void publish(LogRecord entry) {
            records.add(entry);
            throw new IllegalStateException("planted");
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    }

    /** The request that the device cannot execute fails, and so do later ones. */
    @Test
    void aLogThatFailsDoesNotKeepRequestsFromBeingFlushed() {
        Peer p = fixture.peer(Ibv.QPT_UD).init().rtr(0).rts();
        p.recv(9, 0, 64);
        SendWr wr = p.wr(1, Ibv.WR_SEND, 8);
        wr.ud(new SoftAh((SoftPd) fixture.pd, null), 5, 0);
        Logger logger = Logger.getLogger("io.loomverbs.soft");
        FailingHandler handler = new FailingHandler();
        logger.addHandler(handler);
        try {
            p.send(wr);
        } finally {
            logger.removeHandler(handler);
        }
        assertThat(handler.records).isNotEmpty();
        assertThat(p.state()).isEqualTo(Ibv.QPS_ERR);
        assertThat(p.async).containsExactly(Ibv.EVENT_QP_FATAL);
        wr.wrId(2);
        p.send(wr);
        assertThat(p.send.poll())
                .allMatch(wc -> wc.status() == Ibv.WC_WR_FLUSH_ERR)
                .extracting(Wc::wrId)
                .containsExactly(1L, 2L);
        assertThat(p.recv.one().status()).isEqualTo(Ibv.WC_WR_FLUSH_ERR);
    }

    /** Else a queue that goes on by itself would be run by two threads, once there is one. */
    @Test
    void whatTheRetryThreadHasRefusedDoesNotRunLater() throws Exception {
        List<Error> toThrow = new ArrayList<>(List.of(new OutOfMemoryError("planted")));
        RetryTimer timer =
                new RetryTimer(
                        task -> {
                            if (!toThrow.isEmpty()) {
                                throw toThrow.removeFirst();
                            }
                            return HelperThreads.unstarted("retry of the test", task);
                        });
        List<String> ran = new ArrayList<>();
        CountDownLatch done = new CountDownLatch(1);
        assertThatThrownBy(() -> timer.now(() -> ran.add("refused")))
                .isInstanceOf(OutOfMemoryError.class);
        timer.now(() -> ran.add("later"));
        timer.now(done::countDown);
        assertThat(done.await(20, TimeUnit.SECONDS)).isTrue();
        assertThat(ran).containsExactly("later");
    }
}

package io.loomverbs.internal.rdmacm;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.internal.cm.Cm;
import io.loomverbs.internal.cm.CmEvent;
import io.loomverbs.internal.cm.CmIdOps;
import io.loomverbs.internal.cm.CmListener;
import io.loomverbs.support.Fixture;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** What a listener throws ends neither the thread that reads events nor the channel of others. */
@Tag("rdma")
@Timeout(60)
class RdmacmChannelTest {
    private static final int RESOLVE_MILLIS = 5000;

    private final List<CmIdOps> ids = new ArrayList<>();
    private final BlockingQueue<CmEvent> heard = new LinkedBlockingQueue<>();

    @AfterEach
    void destroyIds() {
        ids.forEach(CmIdOps::destroy);
    }

    private CmIdOps id(CmListener listener) {
        CmIdOps id = Rdmacm.INSTANCE.createId(listener, Cm.PS_TCP);
        ids.add(id);
        return id;
    }

    private static void resolve(CmIdOps id) {
        int rc = id.resolveAddr(null, new InetSocketAddress(Fixture.host(), 1), RESOLVE_MILLIS);
        assertThat(rc).isZero();
    }

    private void expectResolved() throws InterruptedException {
        CmEvent event = heard.poll(20, TimeUnit.SECONDS);
        assertThat(event).isNotNull();
        assertThat(event.type()).isEqualTo(Cm.EVENT_ADDR_RESOLVED);
    }

    @Test
    void anExceptionConcernsNoOtherId() throws Exception {
        CmIdOps earlier = id(heard::add);
        BlockingQueue<CmEvent> thrown = new LinkedBlockingQueue<>();
        CmIdOps failing =
                id(
                        event -> {
                            thrown.add(event);
                            throw new IllegalStateException("of the test; may be printed");
                        });
        resolve(failing);
        assertThat(thrown.poll(20, TimeUnit.SECONDS)).isNotNull();
        resolve(earlier);
        expectResolved();
        resolve(id(heard::add));
        expectResolved();
    }

    @Test
    void anErrorHasTheEventRaisedAgain() throws Exception {
        BlockingQueue<CmEvent> thrown = new LinkedBlockingQueue<>();
        CmIdOps failing =
                id(
                        event -> {
                            if (thrown.size() < 3) {
                                thrown.add(event);
                                throw new OutOfMemoryError("of the test");
                            }
                            heard.add(event);
                        });
        resolve(failing);
        expectResolved();
        assertThat(thrown).hasSize(3);
    }
}

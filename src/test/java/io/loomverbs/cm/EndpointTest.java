package io.loomverbs.cm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.ClosedException;
import io.loomverbs.internal.cm.Cm;
import io.loomverbs.internal.cm.CmEvent;
import io.loomverbs.internal.cm.CmUdParam;
import io.loomverbs.internal.device.AhAttr;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.support.Fixture;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** What an endpoint makes of events, in orders that devices show seldom. */
@Timeout(20)
class EndpointTest {
    private static final int ETIMEDOUT = 110;
    private static final int ENETRESET = 102;
    private static final long NOW = 0;

    private final ScriptedId id = new ScriptedId();
    private final AtomicInteger acted = new AtomicInteger();
    private final Endpoint endpoint = Endpoint.incoming("connection", id);

    private void raise(int type, int status) {
        id.events.event(CmEvent.of(type, status));
    }

    /** The end is acted upon when the connection is handed over. */
    @Test
    void aPeerMayLeaveBeforeTheConnectionStands() throws Exception {
        raise(Cm.EVENT_DISCONNECTED, 0);
        assertThat(endpoint.take(NOW).type()).isEqualTo(Cm.EVENT_DISCONNECTED);
        assertThat(acted).hasValue(0);
        endpoint.establish(acted::incrementAndGet);
        assertThat(acted).hasValue(1);
        assertThat(endpoint.awaitEnd(NOW)).isNotNull();
        raise(Cm.EVENT_ESTABLISHED, 0); // the other order, by two threads
        assertThat(acted).hasValue(1);
    }

    /** Else nothing would take the queue pair to ERR. */
    @Test
    void theEndIsActedUponThoughMemoryRunsOutForAMoment() {
        endpoint.establish(
                () -> {
                    if (acted.incrementAndGet() < 3) {
                        throw new StackOverflowError("planted");
                    }
                });
        raise(Cm.EVENT_DISCONNECTED, 0);
        assertThat(acted).hasValue(3);
    }

    /** A change of a neighbor raises it, on a connection that goes on working. */
    @Test
    void aConnectionSurvivesUnreachable() throws Exception {
        endpoint.establish(acted::incrementAndGet);
        raise(Cm.EVENT_UNREACHABLE, -ETIMEDOUT);
        raise(Cm.EVENT_ADDR_CHANGE, 0);
        raise(Cm.EVENT_TIMEWAIT_EXIT, 0);
        raise(Cm.LOST_EVENT, -Errno.ENOMEM);
        assertThat(acted).hasValue(0);
        assertThat(endpoint.awaitEnd(NOW)).isNull();
    }

    /** The peer has not answered in time: it is a disconnection all the same. */
    @Test
    void anUnansweredDisconnectIsOne() throws Exception {
        endpoint.establish(acted::incrementAndGet);
        raise(Cm.EVENT_DISCONNECTED, -ETIMEDOUT);
        assertThat(acted).hasValue(1);
        assertThat(endpoint.awaitEnd(NOW).status()).isEqualTo(-ETIMEDOUT);
    }

    /** An event that was read before the id was destroyed, and is raised afterwards. */
    @Test
    void lateEventsAreDropped() {
        endpoint.establish(acted::incrementAndGet);
        endpoint.close();
        raise(Cm.EVENT_DISCONNECTED, 0);
        assertThat(acted).hasValue(0);
        assertThatThrownBy(() -> endpoint.awaitEnd(NOW)).isInstanceOf(ClosedException.class);
        endpoint.close();
        assertThat(id.destructions).isEqualTo(1);
    }

    /** Whatever ends a step reaches the thread that waits for it, and is named. */
    @ParameterizedTest
    @ValueSource(
            ints = {
                Cm.EVENT_ADDR_ERROR,
                Cm.EVENT_ROUTE_ERROR,
                Cm.EVENT_CONNECT_ERROR,
                Cm.EVENT_UNREACHABLE,
                Cm.EVENT_REJECTED,
                Cm.EVENT_DISCONNECTED,
                Cm.EVENT_DEVICE_REMOVAL,
                Cm.EVENT_MULTICAST_ERROR,
                Cm.CHANNEL_FAILED,
                Cm.LOST_EVENT
            })
    void everyErrorEndsTheStep(int type) throws Exception {
        raise(Cm.EVENT_ADDR_CHANGE, 0);
        raise(type, -ETIMEDOUT);
        CmEvent event = endpoint.take(NOW);
        assertThat(event.type()).isEqualTo(type);
        assertThat(endpoint.failure("rdma_connect", event))
                .hasMessageStartingWith("rdma_connect: ETIMEDOUT: connection: " + Cm.event(type));
    }

    /** A device that is removed ends the wait for the end with its name. */
    @Test
    void aRemovedDeviceIsTold() throws Exception {
        endpoint.establish(acted::incrementAndGet);
        raise(Cm.EVENT_DEVICE_REMOVAL, 0);
        assertThat(acted).hasValue(1);
        assertThat(endpoint.awaitEnd(NOW).type()).isEqualTo(Cm.EVENT_DEVICE_REMOVAL);
    }

    private MulticastGroup group() {
        AhAttr to = new AhAttr(0, 0xffff_ef01_0203L, true, 0, 1, 0, 0, 0, 0, 1);
        CmUdParam ud = new CmUdParam(to, 0xff_ffff, Cm.UDP_QKEY);
        CmEvent join = CmEvent.of(Cm.EVENT_MULTICAST_JOIN, new byte[0], ud);
        InetSocketAddress address = new InetSocketAddress("239.1.2.3", 0);
        return new MulticastGroup(endpoint, "fake0", address, UdPeer.of(join));
    }

    /** The network drops a group: a thread that waits for that goes on. */
    @Test
    void aLostGroupIsTold() throws Exception {
        MulticastGroup group = group();
        raise(Cm.EVENT_UNREACHABLE, -ETIMEDOUT); // which nothing would take
        assertThat(endpoint.take(NOW)).isNull();
        assertThat(group.isLost()).isFalse();
        assertThat(group.awaitLoss(Duration.ZERO)).isFalse();
        FutureTask<Boolean> waiter =
                new FutureTask<>(
                        () -> {
                            group.awaitLoss();
                            return group.awaitLoss(Duration.ZERO);
                        });
        Thread thread = Thread.ofVirtual().start(waiter);
        Fixture.eventually("it waits", () -> thread.getState() == Thread.State.WAITING);
        raise(Cm.EVENT_MULTICAST_ERROR, -ENETRESET);
        assertThat(waiter.get(10, TimeUnit.SECONDS)).isTrue();
        assertThat(group.isLost()).isTrue();
        group.close();
        assertThatThrownBy(group::awaitLoss).isInstanceOf(ClosedException.class);
    }

    /** Between the join and the program's first wait. */
    @Test
    void aGroupMayBeLostAtOnce() throws Exception {
        raise(Cm.EVENT_MULTICAST_JOIN, 0);
        raise(Cm.EVENT_MULTICAST_ERROR, -ENETRESET);
        assertThat(endpoint.take(NOW).type()).isEqualTo(Cm.EVENT_MULTICAST_JOIN);
        assertThat(group().awaitLoss(Duration.ZERO)).isTrue();
    }

    /** A group cannot be joined again on a device that is gone. */
    @Test
    void theEndOfAGroupsDeviceIsNamed() {
        MulticastGroup group = group();
        raise(Cm.EVENT_DEVICE_REMOVAL, 0);
        assertThat(group.isLost()).isTrue();
        assertThatThrownBy(group::awaitLoss)
                .isInstanceOf(ConnectionException.class)
                .hasMessageContaining("connection is over: RDMA_CM_EVENT_DEVICE_REMOVAL");
    }

    /** librdmacm may be unable to open a device: a request on it is rejected. */
    @Test
    void aDeviceWithoutANameIsRefused() throws Exception {
        ScriptedId broken = new ScriptedId();
        broken.device = null;
        var requests = RequestQueue.ofConnections("listener", 1);
        requests.event(CmEvent.of(Cm.EVENT_CONNECT_REQUEST, 0, new byte[0], broken));
        assertThat(broken.destructions).isEqualTo(1);
        assertThat(requests.take(NOW)).isNull();
    }

    /** A channel that fails ends every accept, now and later. */
    @Test
    void aFailedChannelEndsAccepts() {
        var requests = RequestQueue.ofConnections("listener", 1);
        requests.event(CmEvent.of(Cm.CHANNEL_FAILED, -5));
        for (int i = 0; i < 2; i++) {
            assertThatThrownBy(() -> requests.take(Duration.ofSeconds(5).toNanos()))
                    .isInstanceOf(ConnectionException.class)
                    .hasMessageContaining("EIO");
        }
    }

    /** There was no memory for a request, which was rejected: later ones are accepted. */
    @Test
    void aLostRequestIsNoFailureOfTheListener() throws Exception {
        var requests = RequestQueue.ofConnections("listener", 1);
        requests.event(CmEvent.of(Cm.LOST_EVENT, -Errno.ENOMEM));
        assertThat(requests.take(NOW)).isNull();
    }

    /** The first end counts, and is acted upon once. */
    @Test
    void aConnectionEndsOnce() throws Exception {
        endpoint.establish(acted::incrementAndGet);
        raise(Cm.EVENT_DISCONNECTED, 0);
        raise(Cm.EVENT_DEVICE_REMOVAL, 0);
        assertThat(acted).hasValue(1);
        assertThat(endpoint.awaitEnd(NOW).type()).isEqualTo(Cm.EVENT_DISCONNECTED);
    }

    /** A route that is closed after it was connected has nothing to close. */
    @Test
    void anAttemptLetsGoOfItsConnection() throws Exception {
        Attempt attempt = new Attempt(endpoint, "fake0");
        attempt.begin();
        attempt.handOver(acted::incrementAndGet);
        attempt.close();
        assertThat(endpoint.isClosed()).isFalse();
        assertThat(id.destructions).isZero();
    }

    /** The end of the device wakes a thread that waits for a request. */
    @Test
    void aListenerLearnsThatItsDeviceIsGone() throws Exception {
        var requests = RequestQueue.ofConnections("listener", 1);
        FutureTask<Object> waiter = new FutureTask<>(() -> requests.take(Long.MAX_VALUE));
        Thread thread = Thread.ofVirtual().start(waiter);
        Fixture.eventually("it waits", () -> thread.getState() == Thread.State.WAITING);
        requests.event(CmEvent.of(Cm.EVENT_DEVICE_REMOVAL, 0));
        assertThatThrownBy(() -> waiter.get(10, TimeUnit.SECONDS))
                .hasCauseInstanceOf(ConnectionException.class);
    }

    /** The first closer disconnects; the second must not find the id there still. */
    @Test
    void aSecondCloserWaitsForTheFirst() throws Exception {
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        FutureTask<Void> first =
                new FutureTask<>(
                        () ->
                                endpoint.close(
                                        () -> {
                                            inside.countDown();
                                            awaitUninterrupted(goOn);
                                        }),
                        null);
        FutureTask<Integer> second =
                new FutureTask<>(
                        () -> {
                            endpoint.close();
                            return id.destructions;
                        });
        Thread.ofVirtual().start(first);
        inside.await();
        Thread closer = Thread.ofVirtual().start(second);
        while (closer.getState() != Thread.State.WAITING && closer.isAlive()) {
            Thread.onSpinWait();
        }
        assertThat(second).isNotDone();
        goOn.countDown();
        first.get();
        assertThat(second.get()).isOne();
    }

    private static void awaitUninterrupted(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}

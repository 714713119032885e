package io.loomverbs.internal.ibverbs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.CompletionChannel;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.CqEvent;
import io.loomverbs.VerbsException;
import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.event.SchedulerCarriers;
import io.loomverbs.internal.ibverbs.HandMadeDevice.Made;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;

/** {@code loomverbs.pollers} above 1: contexts are spread over as many epoll sets. */
@Timeout(60)
class PollersTest {
    /** A poller that can fail. */
    private static final class Breakable extends Poller {
        private volatile boolean broken;

        Breakable() {
            super(new SchedulerCarriers(), "breakable-poller");
        }

        void fail() {
            broken = true;
            wake();
        }

        @Override
        public int await(long nanos, Leader leader) {
            int raised = super.await(nanos, leader);
            if (broken) {
                throw new DeviceException(Errno.EIO, "planted");
            }
            return raised;
        }
    }

    /**
     * A context of a device of its own, with a channel and a CQ on which a virtual thread waits.
     */
    private static final class Receiver {
        final Pollers pollers;
        final HandMadeDevice device;
        final Context context;
        final CompletionChannel channel;
        final CompletionQueue cq;
        final Made made;
        FutureTask<Object> waiter;

        Receiver(Pollers pollers, int number) throws IOException {
            this.pollers = pollers;
            device = HandMadeDevice.create(pollers::next);
            context = device.open();
            device.nextEnds = Posix.terminal(); // unlike a pipe, it can fail
            channel = context.createCompChannel();
            cq = context.createCq(1, number, channel, 0);
            made = device.last();
        }

        void await() {
            waiter =
                    new FutureTask<>(
                            () -> {
                                try (CqEvent event = channel.getCqEvent()) {
                                    return event.cqContext();
                                }
                            });
            Thread.ofVirtual().start(waiter);
        }

        Object received() throws Exception {
            return waiter.get(20, TimeUnit.SECONDS);
        }

        Throwable failure() throws Exception {
            try {
                throw new AssertionError("it did not fail: " + received());
            } catch (ExecutionException e) {
                return e.getCause();
            }
        }

        void close() {
            cq.close();
            channel.close();
            context.close();
        }
    }

    /** Two contexts on each poller. */
    private static List<Receiver> receivers(int pollers) throws IOException {
        Pollers all = new Pollers(pollers, number -> new Breakable());
        List<Receiver> receivers = new ArrayList<>();
        for (int i = 0; i < 2 * pollers; i++) {
            Receiver receiver = new Receiver(all, i);
            receivers.add(receiver);
        }
        return receivers;
    }

    private static void settle() throws InterruptedException {
        Thread.sleep(50);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4})
    void contextsAreSpreadAndAllReceive(int pollers) throws Exception {
        List<Receiver> receivers = receivers(pollers);
        Set<Poller> used = new HashSet<>();
        for (int i = 0; i < receivers.size(); i++) {
            Poller poller = receivers.get(i).device.poller();
            used.add(poller);
            assertThat(poller).isSameAs(receivers.get(i % pollers).device.poller());
        }
        assertThat(used).hasSize(pollers);
        for (int round = 0; round < 20; round++) {
            receivers.forEach(Receiver::await);
            if (round % 2 == 0) {
                settle(); // all wait in the kernel, or behind a leader that does
            }
            receivers.forEach(receiver -> receiver.made.event());
            for (int i = 0; i < receivers.size(); i++) {
                assertThat(receivers.get(i).received()).isEqualTo(i);
            }
        }
        receivers.forEach(Receiver::close);
        receivers.forEach(receiver -> assertThat(receiver.made.acked()).isEqualTo(20));
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 4})
    void othersGoOnWhenOneContextIsClosed(int pollers) throws Exception {
        List<Receiver> receivers = receivers(pollers);
        receivers.subList(1, receivers.size()).forEach(Receiver::await);
        settle();
        receivers.getFirst().close();
        receiveAndClose(receivers.subList(1, receivers.size()));
    }

    /** A channel fails, and then the whole poller that it is in. */
    @ParameterizedTest
    @ValueSource(ints = {2, 4})
    void othersGoOnWhenOneFails(int pollers) throws Exception {
        List<Receiver> receivers = receivers(pollers);
        receivers.forEach(Receiver::await);
        settle();
        Receiver broken = receivers.getFirst();
        Posix.close(broken.made.channel().ends().write()); // read(2) says EIO from now on
        assertThat(broken.failure()).isInstanceOf(VerbsException.class);

        Receiver beside = receivers.get(pollers); // in the same poller
        beside.made.event();
        assertThat(beside.received()).isEqualTo(pollers);
        beside.await();
        settle();
        ((Breakable) beside.device.poller()).fail();
        assertThat(beside.failure())
                .isInstanceOf(VerbsException.class)
                .hasRootCauseMessage("planted");

        Pollers all = beside.pollers;
        for (int i = 0; i < pollers; i++) { // one of them would have the poller that failed
            Receiver late = new Receiver(all, -i);
            late.await();
            settle();
            late.made.event();
            assertThat(late.received()).isEqualTo(-i);
            late.close();
        }

        List<Receiver> others = new ArrayList<>(receivers);
        others.removeAll(List.of(broken, beside));
        receiveAndClose(others);
        beside.close();
        broken.close();
    }

    private static void receiveAndClose(List<Receiver> receivers) throws Exception {
        receivers.forEach(receiver -> receiver.made.event());
        for (Receiver receiver : receivers) {
            assertThat(receiver.received()).isEqualTo(receiver.cq.cqContext());
        }
        receivers.forEach(Receiver::close);
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "-1", "1025", "many", "", " ", "1.5", "0x2", "99999999999"})
    void aNumberThatIsNoneIsRefused(String value) {
        assertThatThrownBy(() -> Pollers.count(value))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "the system property loomverbs.pollers is \""
                                + value
                                + "\", but must be 1 to 1024");
    }

    @ParameterizedTest
    @CsvSource({"1,1", "4,4", "' 2 ',2", "1024,1024"})
    void aNumberIsTaken(String value, int count) {
        assertThat(Pollers.count(value)).isEqualTo(count);
    }

    @Test
    void withoutThePropertyThereIsOne() {
        assertThat(Pollers.count(null)).isEqualTo(1);
    }
}

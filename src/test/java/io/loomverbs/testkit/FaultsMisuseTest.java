package io.loomverbs.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.ClosedException;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.Opened;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.WcStatus;
import io.loomverbs.internal.device.ContextOps;
import io.loomverbs.internal.device.DeviceAttr;
import io.loomverbs.internal.device.DeviceOps;
import io.loomverbs.internal.device.PortAttr;
import io.loomverbs.internal.soft.FreshDevice;

import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/** Bad input to the test kit, and objects that are closed: an error that says so, and no fault. */
class FaultsMisuseTest {
    private static final WcStatus BAD = WcStatus.RETRY_EXC_ERR;

    private final Line line = new Line("soft0");
    private final Line other = new Line("soft0");
    private final Faults faults = line.faults;

    /** Everything is as it was before: a message arrives. */
    @AfterEach
    void nothingHasChanged() {
        line.send(0, 1);
        assertThat(line.sent(1)).containsExactly(WcStatus.SUCCESS);
        line.close();
        other.close();
    }

    private static void refuses(ThrowingCallable call, String... message) {
        assertThatThrownBy(call)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll(message);
    }

    @Test
    void badInputIsRefused() {
        for (long nth : new long[] {0, -1, Long.MIN_VALUE}) {
            refuses(() -> faults.failSend(nth, BAD), "nth is " + nth, "at least 1");
            refuses(() -> faults.failSend(line.left.qp, nth, BAD), "nth is " + nth);
        }
        for (WcStatus status : new WcStatus[] {WcStatus.SUCCESS, WcStatus.OTHER}) {
            refuses(() -> faults.failSend(1, status), "status is " + status);
            refuses(() -> faults.failSend(line.left.qp, 1, status), "status is " + status);
            refuses(() -> faults.kill(line.left.qp, status), "status is " + status);
        }
        String[] foreign = {"qp is " + other.left.qp, "another context"};
        refuses(() -> faults.failSend(other.left.qp, 1, BAD), foreign);
        refuses(() -> faults.kill(other.left.qp, BAD), foreign);
        refuses(() -> faults.overrun(other.left.sends), "cq is " + other.left.sends);
        Distribution some = Distribution.fixed(Duration.ofNanos(1));
        for (double p : new double[] {-0.1, 1.1, Double.NaN, Double.POSITIVE_INFINITY}) {
            refuses(() -> faults.drop(p), "probability is " + p, "0 to 1");
            refuses(() -> faults.rnr(p), "probability is " + p);
            refuses(() -> some.sometimes(p), "probability is " + p);
        }
        Duration negative = Duration.ofNanos(-1);
        Duration tooLong = Duration.ofDays(1).plusNanos(1);
        for (Duration bad : new Duration[] {negative, tooLong}) {
            refuses(() -> Distribution.fixed(bad), "delay is " + bad, "24 hours");
            refuses(() -> Distribution.exponential(bad), "mean is " + bad);
            refuses(() -> Distribution.uniform(Duration.ZERO, bad), "max is " + bad);
            refuses(() -> Distribution.uniform(bad, Duration.ZERO), "min is " + bad);
        }
        refuses(
                () -> Distribution.uniform(Duration.ofNanos(2), Duration.ofNanos(1)),
                "min is PT0.000000002S",
                "max is only PT0.000000001S");
    }

    @Test
    void nullIsRefused() {
        isNull("context", () -> Faults.of(null));
        isNull("distribution", () -> faults.delay(null));
        isNull("status", () -> faults.failSend(1, null));
        isNull("qp", () -> faults.failSend(null, 1, BAD));
        isNull("status", () -> faults.failSend(line.left.qp, 1, null));
        isNull("qp", () -> faults.kill(null, BAD));
        isNull("status", () -> faults.kill(line.left.qp, null));
        isNull("cq", () -> faults.overrun(null));
        isNull("delay", () -> Distribution.fixed(null));
        isNull("mean", () -> Distribution.exponential(null));
        isNull("min", () -> Distribution.uniform(null, Duration.ZERO));
        isNull("max", () -> Distribution.uniform(Duration.ZERO, null));
    }

    private static void isNull(String name, ThrowingCallable call) {
        assertThatThrownBy(call)
                .isExactlyInstanceOf(NullPointerException.class)
                .hasMessage(name + " is null");
    }

    @Test
    void closedObjectsAreRefused() {
        QueuePair reset = line.left.pd.createQp(QpConfig.of(QpType.RC, line.left.sends));
        assertThatThrownBy(() -> faults.kill(reset, BAD))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("in state RESET");
        reset.close();
        CompletionQueue cq = line.left.context.createDirectCq(1);
        cq.close();
        isClosed(reset, () -> faults.kill(reset, BAD));
        isClosed(reset, () -> faults.failSend(reset, 1, BAD));
        isClosed(cq, () -> faults.overrun(cq));
    }

    private static void isClosed(Object what, ThrowingCallable call) {
        assertThatThrownBy(call)
                .isExactlyInstanceOf(ClosedException.class)
                .hasMessage(what + " is closed");
    }

    /** Every method, on a context that is closed. */
    @Test
    void aClosedContextIsRefused() {
        Line closed = new Line("soft0");
        closed.close();
        Context context = closed.left.context;
        Map<String, Consumer<Faults>> calls =
                Map.ofEntries(
                        Map.entry("seed", f -> f.seed(1)),
                        Map.entry("failSend", f -> f.failSend(1, BAD)),
                        Map.entry("delay", f -> f.delay(Distribution.fixed(Duration.ZERO))),
                        Map.entry("drop", f -> f.drop(1)),
                        Map.entry("rnr", f -> f.rnr(1)),
                        Map.entry("clear", Faults::clear),
                        Map.entry("portDown", Faults::portDown),
                        Map.entry("portUp", Faults::portUp),
                        Map.entry("loseDevice", Faults::loseDevice));
        calls.values().forEach(call -> isClosed(context, () -> call.accept(closed.faults)));
        isClosed(context, () -> closed.faults.seed());
        isClosed(context, () -> Faults.of(context));
        isClosed(closed.left.qp, () -> closed.faults.kill(closed.left.qp, BAD));
        isClosed(closed.left.sends, () -> closed.faults.overrun(closed.left.sends));
        assertThat(closed.faults).hasToString("faults of soft0, which is closed");
        assertThat(closed.faults.context()).isSameAs(context);

        Set<String> tried = new TreeSet<>(calls.keySet());
        tried.addAll(Set.of("of", "context", "kill", "overrun"));
        assertThat(tried)
                .isEqualTo(
                        Arrays.stream(Faults.class.getDeclaredMethods())
                                .filter(m -> Modifier.isPublic(m.getModifiers()))
                                .map(Method::getName)
                                .filter(name -> !name.equals("toString"))
                                .collect(Collectors.toCollection(TreeSet::new)));
    }

    /** A device that has no faults is named. */
    @Test
    void otherDevicesAreRefusedByName() {
        try (Context context = Opened.open(new Faultless())) {
            assertThatThrownBy(() -> Faults.of(context))
                    .isInstanceOf(UnsupportedOperationException.class)
                    .hasMessage("fault injection is not supported by real0");
        }
    }

    /** A device that offers the least that a device must. */
    private static final class Faultless implements DeviceOps {
        private final ContextOps soft = FreshDevice.create().open((type, port) -> {});

        @Override
        public String name() {
            return "real0";
        }

        @Override
        public long guid() {
            return 1;
        }

        @Override
        public ContextOps open(PortListener events) {
            return new ContextOps() {
                @Override
                public DeviceAttr queryDevice() {
                    return soft.queryDevice();
                }

                @Override
                public PortAttr queryPort(int port) {
                    return soft.queryPort(port);
                }

                @Override
                public byte[] queryGid(int port, int index) {
                    return soft.queryGid(port, index);
                }

                @Override
                public void close() {}
            };
        }
    }
}

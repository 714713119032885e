package io.loomverbs.tools;

import io.loomverbs.WaitStrategy;

import org.HdrHistogram.Histogram;

import java.util.Locale;
import java.util.Map;

/** A ping-pong's result, for people and for programs. */
record PingpongReport(
        String device, PingpongPlan plan, PingpongWarmUp warmUp, Pingpong.Result result) {
    private static final double NANOS_PER_MICRO = 1e3;

    /** As the C programs print it, and more. */
    String text() {
        double seconds = result.seconds();
        int iters = plan.iters();
        long bytes = 2L * plan.size() * iters;
        StringBuilder text = new StringBuilder();
        text.append(
                String.format(
                        Locale.ROOT,
                        "%d bytes in %.2f seconds = %.2f Mbit/sec%n",
                        bytes,
                        seconds,
                        bytes * 8 / 1e6 / seconds));
        text.append(
                String.format(
                        Locale.ROOT,
                        "%d iters in %.2f seconds = %.2f usec/iter",
                        iters,
                        seconds,
                        micros()));
        if (result.roundTripNanos().getTotalCount() > 0) {
            text.append(
                    String.format(
                            Locale.ROOT,
                            " (p50 %.2f, p99 %.2f, max %.2f)",
                            at(50),
                            at(99),
                            at(100)));
        }
        if (plan.check()) {
            text.append(
                    String.format(
                            Locale.ROOT,
                            "%n%d payloads were as they were sent",
                            (result.bothEnds() ? 2L : 1L) * iters));
        }
        return text.toString();
    }

    String json() {
        return String.format(
                Locale.ROOT,
                "{\"device\":\"%s\",\"type\":\"%s\",\"size\":%d,\"wait\":\"%s\",\"iters\":%d,"
                    + "\"warmUpIters\":%d,\"seconds\":%.6f,\"microsPerIter\":%.3f,"
                    + "\"roundTripMicros\":%s,\"checkedPayloads\":%d,\"jdk\":\"%s\",\"cores\":%d}",
                device,
                plan.type(),
                plan.size(),
                waits(),
                plan.iters(),
                warmUp.iters(),
                result.seconds(),
                micros(),
                roundTrip(),
                plan.check() ? (result.bothEnds() ? 2L : 1L) * plan.iters() : 0,
                Runtime.version(),
                Runtime.getRuntime().availableProcessors());
    }

    /** The title of a plot of the latencies. */
    String title() {
        return String.format(
                Locale.ROOT,
                "pingpong: %s on %s, %,d bytes, %s",
                plan.type(),
                device,
                plan.size(),
                waits());
    }

    /** The latencies to draw and to write, by name. */
    Map<String, Histogram> latencies() {
        return Map.of("round trip", result.roundTripNanos());
    }

    private String roundTrip() {
        if (result.roundTripNanos().getTotalCount() == 0) {
            return "null";
        }
        return String.format(
                Locale.ROOT, "{\"p50\":%.3f,\"p99\":%.3f,\"max\":%.3f}", at(50), at(99), at(100));
    }

    private String waits() {
        WaitStrategy how = plan.strategy();
        if (how != null) {
            return how.name().toLowerCase(Locale.ROOT);
        }
        return plan.events() ? "getCqEvent" : "poll";
    }

    private double micros() {
        return result.seconds() * 1e6 / plan.iters();
    }

    private double at(double percentile) {
        Histogram nanos = result.roundTripNanos();
        return nanos.getValueAtPercentile(percentile) / NANOS_PER_MICRO;
    }
}

package io.loomverbs.tools;

import io.loomverbs.Context;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpType;

import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

/** One message that goes back and forth between two handlers, each on a virtual thread. */
final class Pingpong {
    /** Nothing arrives for this long only if a message was lost. */
    private static final Duration SILENCE = Duration.ofSeconds(10);

    private final Context context;
    private final PingpongPlan plan;

    /** Notified of the two ends, as soon as each is known. */
    private final Consumer<String> told;

    /** The result, as one end saw it. */
    record Result(double seconds, Histogram roundTripNanos, boolean bothEnds) {}

    Pingpong(Context context, PingpongPlan plan, Consumer<String> told) {
        this.context = context;
        this.plan = plan;
        this.told = told;
    }

    /** Plays both ends. */
    Result local() throws InterruptedException {
        try (ProtectionDomain pd = context.allocPd();
                PingpongEnd ping = new PingpongEnd(pd, plan, true);
                PingpongEnd pong = new PingpongEnd(pd, plan, false)) {
            pong.connect(ping.here());
            ping.connect(pong.here());
            return play(ping, pong);
        }
    }

    /** Plays both ends, which are connected. */
    Result play(PingpongEnd ping, PingpongEnd pong) throws InterruptedException {
        long start = System.nanoTime();
        Player second = new Player(pong, "pong", null);
        Player first = new Player(ping, "ping", second);
        first.thread.start();
        await(first);
        await(second);
        return new Result(secondsSince(start), ping.roundTripNanos(), true);
    }

    /** Plays with the server of another process. */
    Result client(String host, int port) throws InterruptedException, IOException {
        try (ProtectionDomain pd = context.allocPd();
                PingpongEnd end = new PingpongEnd(pd, plan, true)) {
            told.accept("  local address:  " + end.here());
            PingpongPeer remote = PingpongExchange.asClient(host, port, end.here());
            told.accept("  remote address: " + remote);
            end.connect(remote);
            return play(end, true);
        }
    }

    /** Plays with the first client that comes. */
    Result server(int port) throws InterruptedException, IOException {
        try (ProtectionDomain pd = context.allocPd();
                PingpongEnd end = new PingpongEnd(pd, plan, false);
                ServerSocket listener = PingpongExchange.listen(port)) {
            told.accept("  local address:  " + end.here());
            PingpongPeer remote = PingpongExchange.asServer(listener, end.here(), end::connect);
            told.accept("  remote address: " + remote);
            return play(end, false);
        }
    }

    /** Plays one end, which is connected. */
    Result play(PingpongEnd end, boolean begins) throws InterruptedException {
        long start = System.nanoTime();
        Player player = new Player(end, begins ? "ping" : "pong", null);
        player.thread.start();
        await(player);
        return new Result(secondsSince(start), end.roundTripNanos(), false);
    }

    private static double secondsSince(long nanos) {
        return (System.nanoTime() - nanos) / 1e9;
    }

    /** A handler that plays. */
    private static final class Player {
        private final PingpongEnd end;
        private final FutureTask<Void> task;
        private final Thread thread;

        /**
         * Not started yet.
         *
         * @param other the other handler, which this one starts: one that polls keeps the only
         *     carrier busy with its own queue, so that a start by another thread would have no
         *     effect
         */
        Player(PingpongEnd end, String name, @Nullable Player other) {
            this.end = end;
            task =
                    new FutureTask<>(
                            () -> {
                                if (other != null) {
                                    other.thread.start();
                                }
                                end.play();
                                return null;
                            });
            thread = Thread.ofVirtual().name(name).unstarted(task);
        }
    }

    private void await(Player player) throws InterruptedException {
        int before = -1;
        while (true) {
            int received = player.end.received();
            if (received == before) {
                // A handler left behind would use what is closed next.
                player.thread.interrupt();
                player.thread.join();
                throw silence(before);
            }
            before = received;
            try {
                player.task.get(SILENCE.toNanos(), TimeUnit.NANOSECONDS);
                return;
            } catch (ExecutionException e) {
                throw new IllegalStateException("pingpong failed: " + e.getCause(), e.getCause());
            } catch (TimeoutException e) {
                // Has anything arrived meanwhile?
            }
        }
    }

    private IllegalStateException silence(int received) {
        return new IllegalStateException(
                "nothing has arrived for "
                        + SILENCE.toSeconds()
                        + " s after "
                        + received
                        + " messages"
                        + (plan.type() == QpType.RC ? "" : ": one was lost"));
    }
}

package io.loomverbs.tools;

import io.loomverbs.Context;
import io.loomverbs.ProtectionDomain;

import org.HdrHistogram.Histogram;

import java.io.IOException;
import java.net.ServerSocket;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

/** One message that goes back and forth between two handlers, each on a virtual thread. */
final class Pingpong {
    private final Context context;
    private final PingpongPlan plan;

    /** Told about the two ends, as soon as each is known. */
    private final Consumer<String> told;

    /** How it went, as one end saw it. */
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
            long start = System.nanoTime();
            FutureTask<Void> second = start(pong, "pong");
            FutureTask<Void> first = start(ping, "ping");
            await(first);
            await(second);
            return new Result(secondsSince(start), ping.roundTripNanos(), true);
        }
    }

    /** Plays with a server, another process's. */
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

    private Result play(PingpongEnd end, boolean begins) throws InterruptedException {
        long start = System.nanoTime();
        await(start(end, begins ? "ping" : "pong"));
        return new Result(secondsSince(start), end.roundTripNanos(), false);
    }

    private static double secondsSince(long nanos) {
        return (System.nanoTime() - nanos) / 1e9;
    }

    private static FutureTask<Void> start(PingpongEnd end, String name) {
        FutureTask<Void> task =
                new FutureTask<>(
                        () -> {
                            end.play();
                            return null;
                        });
        Thread.ofVirtual().name(name).start(task);
        return task;
    }

    private void await(FutureTask<Void> task) throws InterruptedException {
        try {
            // Far beyond what it can take: an end that is stuck says so before.
            long silence = PingpongEnd.SILENCE.toSeconds();
            task.get(1 + plan.iters() / 100L + silence * 2, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw new IllegalStateException("pingpong failed: " + e.getCause(), e.getCause());
        } catch (TimeoutException e) {
            throw new IllegalStateException("pingpong did not end", e);
        }
    }
}

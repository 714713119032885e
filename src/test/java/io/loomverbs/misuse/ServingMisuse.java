package io.loomverbs.misuse;

import io.loomverbs.CompletionQueue;
import io.loomverbs.FailurePolicy;
import io.loomverbs.Serving;

import java.time.Duration;

/** Bad input to what serves CQs and channels. */
@SuppressWarnings("try") // closes may be interrupted
final class ServingMisuse extends MisuseTable {
    ServingMisuse() {
        String start = "Serving.start(ThreadFactory)";
        ise(start, s -> s.serving.start(task -> null), "factory", "no thread", "cq-");
        ise(start, s -> s.serving.start(Thread::startVirtualThread), "which was started", "cq-");
        ise(
                start,
                s -> {
                    CompletionQueue cq = s.f.direct();
                    try (Serving first = cq.serve("orders", batch -> {})) {
                        Serving.of(cq, batch -> {}, FailurePolicy.STOP)
                                .start(Thread.ofVirtual().factory());
                    }
                },
                "cq-",
                "is being served by another handler",
                "orders");
        ise(
                start,
                s -> {
                    try (Serving first = s.f.direct().serve("orders", batch -> {})) {
                        first.start(Thread.ofVirtual().factory()); // a second thread
                    }
                },
                "is being served by another handler",
                "orders");
        for (String method : new String[] {"Serving.stop(Duration)", "Serving.join(Duration)"}) {
            boolean stops = method.contains("stop");
            for (Duration negative :
                    new Duration[] {Duration.ofNanos(-1), Duration.ofSeconds(Long.MIN_VALUE)}) {
                iae(
                        method,
                        s -> {
                            if (stops) {
                                s.serving.stop(negative);
                            } else {
                                s.serving.join(negative);
                            }
                        },
                        "timeout is",
                        "must not be negative");
            }
        }
        String named = "CompletionQueue.serve(String, CompletionHandler)";
        ise(
                named,
                s -> {
                    CompletionQueue cq = s.f.direct();
                    try (Serving first = cq.serve("orders", batch -> {})) {
                        cq.serve("others", batch -> {});
                    }
                },
                "is being served by another handler",
                "orders");
        String onChannel = "CompletionChannel.serve(ChannelHandler, int)";
        for (int n : new int[] {0, -1, 65_537, MAX, Integer.MIN_VALUE}) {
            iae(
                    onChannel,
                    s -> s.channel.serve((cq, batch) -> {}, n),
                    "threads is " + n,
                    "1 to 65536");
        }
        beside(onChannel, s -> s.channel.serve((cq, batch) -> {}, 1));
        beside("CompletionChannel.getCq()", s -> s.channel.getCq());
        beside("CompletionChannel.getCq(Duration)", s -> s.channel.getCq(Duration.ZERO));
        beside("CompletionChannel.tryGetCq()", s -> s.channel.tryGetCq());
        beside("CompletionChannel.getCqEvent(Duration)", s -> s.channel.getCqEvent(Duration.ZERO));
        beside("CompletionChannel.getCqEvent()", s -> s.channel.getCqEvent());
        beside("CompletionChannel.tryGetCqEvent()", s -> s.channel.tryGetCqEvent());
    }

    /** While the channel is being served. */
    private void beside(String method, Misuse.Attempt use) {
        ise(
                method,
                s -> {
                    try (Serving first = s.channel.serve((cq, batch) -> {}, 2)) {
                        use.on(s);
                    }
                },
                "channel-",
                "being served",
                "/handler-1");
    }
}

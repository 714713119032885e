package io.loomverbs.misuse;

import io.loomverbs.CompletionQueue;
import io.loomverbs.FailurePolicy;
import io.loomverbs.Serving;
import io.loomverbs.WaitStrategy;
import io.loomverbs.WorkCompletions;

import java.time.Duration;

/** Bad input to channels and CQs, and waits of a kind that a CQ does not have. */
final class QueueMisuse extends MisuseTable {
    QueueMisuse() {
        Duration negative = Duration.ofSeconds(Long.MIN_VALUE);
        String is = "timeout is " + Long.MIN_VALUE + " s";
        iae("CompletionChannel.getCq(Duration)", s -> s.channel.getCq(negative), is);
        iae("CompletionChannel.getCqEvent(Duration)", s -> s.channel.getCqEvent(negative), is);
        for (String blank : new String[] {"", " ", "\t"}) {
            iae("CompletionChannel.named(String)", s -> s.channel.named(blank), "newName is");
            iae("CompletionQueue.named(String)", s -> s.direct.named(blank), "newName is");
        }
        iae("CompletionQueue.getCqEvent(Duration)", s -> s.direct.getCqEvent(negative), is);
        iae("CompletionQueue.close(Duration)", s -> s.shared.close(negative), is);
        String await = "CompletionQueue.await(WorkCompletions, int)";
        String awaitTimed = "CompletionQueue.await(WorkCompletions, int, Duration)";
        String awaitHow = "CompletionQueue.await(WorkCompletions, int, Duration, WaitStrategy)";
        WaitStrategy events = WaitStrategy.EVENTS;
        iae(
                awaitHow,
                s -> s.direct.await(WorkCompletions.allocate(1), 1, negative, events),
                "timeout is");
        iae(
                awaitTimed,
                s -> s.direct.await(WorkCompletions.allocate(1), 1, negative),
                "timeout is");
        for (int min : new int[] {0, -1, 5, MAX, Integer.MIN_VALUE}) {
            iae(
                    await,
                    s -> s.direct.await(WorkCompletions.allocate(4), min),
                    "min is " + min,
                    "1 to 4",
                    "capacity");
            iae(
                    awaitTimed,
                    s -> s.direct.await(WorkCompletions.allocate(4), min, Duration.ZERO),
                    "min is " + min);
            iae(
                    awaitHow,
                    s -> s.direct.await(WorkCompletions.allocate(4), min, Duration.ZERO, events),
                    "min is " + min);
        }
        for (int cqe : new int[] {0, -1, Integer.MIN_VALUE, MAX}) {
            iae(
                    "CompletionQueue.resize(int)",
                    s -> s.direct.resize(cqe),
                    "cqe is " + cqe,
                    "max_cqe");
        }
        String reserve = "CompletionQueue.reserve(int, int)";
        for (int n : new int[] {-1, Integer.MIN_VALUE}) {
            iae(reserve, s -> s.direct.reserve(n, 1), "least is " + n, "0 to");
            iae(reserve, s -> s.direct.reserve(2, n), "most is " + n, "2 to");
            iae(
                    "CompletionQueue.unreserve(int)",
                    s -> s.direct.unreserve(n),
                    "completions is " + n);
        }
        for (int n : new int[] {1, MAX}) {
            ise(
                    "CompletionQueue.unreserve(int)",
                    s -> s.direct.unreserve(n),
                    "completions is " + n,
                    "has reserved 0");
        }
        ise(
                "CompletionQueue.resize(int)",
                s -> {
                    s.direct.reserve(2, 2);
                    s.direct.resize(1);
                },
                "cqe is 1",
                "2 completions of",
                "are reserved");
        String moderate = "CompletionQueue.moderate(int, Duration)";
        for (int count : new int[] {-1, 0x1_0000, MAX, Integer.MIN_VALUE}) {
            iae(
                    moderate,
                    s -> s.direct.moderate(count, Duration.ZERO),
                    "count is " + count,
                    "0 to 65535",
                    "cq_count");
        }
        iae(moderate, s -> s.direct.moderate(1, negative), "period is " + Long.MIN_VALUE + " s");
        iae(
                moderate,
                s -> s.direct.moderate(1, Duration.ofNanos(65_535_001)),
                "period is 65536",
                "0 to 65535",
                "microseconds");
        iae(moderate, s -> s.direct.moderate(1, Duration.ofSeconds(Long.MAX_VALUE)), "period is");
        for (int n : new int[] {0, -1, Integer.MIN_VALUE}) {
            iae("CompletionQueue.ackEvents(int)", s -> s.direct.ackEvents(n), "n is " + n, "1");
        }
        for (int n : new int[] {1, MAX}) {
            ise("CompletionQueue.ackEvents(int)", s -> s.direct.ackEvents(n), "n is " + n, "cq-");
        }
        for (boolean channel : new boolean[] {true, false}) {
            String why = channel ? "delivers to its channel" : "without a channel";
            Duration now = Duration.ZERO;
            WorkCompletions one = WorkCompletions.allocate(1);
            wrongDelivery(
                    "CompletionQueue.getCqEvent()", CompletionQueue::getCqEvent, channel, why);
            wrongDelivery(
                    "CompletionQueue.getCqEvent(Duration)", cq -> cq.getCqEvent(now), channel, why);
            wrongDelivery(
                    "CompletionQueue.tryGetCqEvent()", cq -> cq.tryGetCqEvent(), channel, why);
            wrongDelivery(
                    "CompletionQueue.await(WorkCompletions)", cq -> cq.await(one), channel, why);
            wrongDelivery(await, cq -> cq.await(one, 1), channel, why);
            wrongDelivery(awaitTimed, cq -> cq.await(one, 1, now), channel, why);
            wrongDelivery(awaitHow, cq -> cq.await(one, 1, now, events), channel, why);
            wrongDelivery(
                    "CompletionQueue.serve(CompletionHandler)",
                    cq -> cq.serve(batch -> {}),
                    channel,
                    why);
            wrongDelivery(
                    "CompletionQueue.serve(String, CompletionHandler)",
                    cq -> cq.serve("a handler", batch -> {}),
                    channel,
                    why);
            wrongDelivery(
                    "Serving.of(CompletionQueue, CompletionHandler, FailurePolicy)",
                    cq -> Serving.of(cq, batch -> {}, FailurePolicy.STOP),
                    channel,
                    why);
        }
        for (boolean solicited : new boolean[] {true, false}) {
            ise(
                    "CompletionQueue.reqNotify(boolean)",
                    s -> s.polled.reqNotify(solicited),
                    "cq-",
                    "without a channel");
        }
        WorkCompletions two = WorkCompletions.allocate(2);
        beside("CompletionQueue.serve(CompletionHandler)", cq -> cq.serve(batch -> {}));
        beside("CompletionQueue.await(WorkCompletions)", cq -> cq.await(two));
        beside(await, cq -> cq.await(two, 2));
        beside(awaitTimed, cq -> cq.await(two, 1, Duration.ZERO));
        beside(awaitHow, cq -> cq.await(two, 1, Duration.ZERO, events));
        beside("CompletionQueue.getCqEvent()", CompletionQueue::getCqEvent);
        beside("CompletionQueue.getCqEvent(Duration)", cq -> cq.getCqEvent(Duration.ZERO));
        beside("CompletionQueue.tryGetCqEvent()", CompletionQueue::tryGetCqEvent);
    }

    /** While one handler serves it. */
    private void beside(String method, OnCq use) {
        ise(
                method,
                s -> {
                    CompletionQueue cq = s.f.direct();
                    Serving server = cq.serve(batch -> {});
                    try {
                        use.use(cq);
                    } finally {
                        server.close();
                    }
                },
                "being served",
                "cq-");
    }

    private interface OnCq {
        void use(CompletionQueue cq) throws Exception;
    }

    private void wrongDelivery(String method, OnCq use, boolean channel, String why) {
        ise(method, s -> use.use(channel ? s.shared : s.polled), "cq-", why);
    }
}

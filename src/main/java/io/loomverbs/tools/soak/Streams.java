package io.loomverbs.tools.soak;

import io.loomverbs.CompletionChannel;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Streams of numbered messages over queue pairs that come and go, received in every way there is,
 * by threads that are interrupted and run out of time: each arrives once and in order.
 */
final class Streams implements SoakPart {
    private static final int STREAMS = 12;

    /** The rest each have a channel of their own. */
    private static final int ON_SHARED = 8;

    private static final int PLATFORM_EVERY = 3;

    private static final List<StreamKind> KINDS = List.of(StreamKind.values());

    @Override
    public String name() {
        return "streams";
    }

    @Override
    public void run(Round round) throws InterruptedException {
        try (CompletionChannel shared = round.context().createCompChannel()) {
            List<CompletionChannel> own = new ArrayList<>();
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < STREAMS; i++) {
                StreamKind kind = KINDS.get(i % KINDS.size());
                CompletionChannel channel = shared;
                if (i >= ON_SHARED) {
                    channel = round.context().createCompChannel();
                    own.add(channel);
                }
                Stream stream = new Stream(round, kind, channel);
                threads.add(
                        round.start(
                                i % PLATFORM_EVERY == 2 ? Thread.ofPlatform() : Thread.ofVirtual(),
                                "stream-" + i + "-" + kind,
                                stream::run));
            }
            interrupt(round, threads);
            for (Thread thread : threads) {
                Expect.that(thread.join(Round.PATIENCE), "%s does not end", thread);
            }
            own.forEach(CompletionChannel::close);
        }
    }

    private static void interrupt(Round round, List<Thread> threads) throws InterruptedException {
        while (!round.isOver()) {
            Thread.sleep(1);
            threads.get(ThreadLocalRandom.current().nextInt(threads.size())).interrupt();
        }
    }
}

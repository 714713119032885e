package io.loomverbs.tools;

import io.loomverbs.CompletionChannel;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.CqEvent;
import io.loomverbs.CqGroup;
import io.loomverbs.GroupCompletions;
import io.loomverbs.WaitStats;
import io.loomverbs.blocking.Buffer;
import io.loomverbs.blocking.BufferPool;
import io.loomverbs.management.VerbsManagement;
import io.loomverbs.support.Fixture;
import io.loomverbs.support.Fixture.Source;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/** A program with a thread that waits, an event that it keeps, and a handler that is stuck. */
@SuppressWarnings("try") // joins threads, which may be interrupted
public final class TopChild {
    private TopChild() {}

    /**
     * Prints a line when all is set up, and ends when its input does.
     *
     * @param args "unregistered" for a program that has registered nothing, or a command
     */
    public static void main(String[] args) throws Exception {
        if (args.length > 1) {
            Thread.ofPlatform().daemon().start(() -> Main.main(args));
        }
        if (args.length > 0) {
            ready();
            System.exit(0); // the command may still run
        }
        try (Fixture f = new Fixture();
                VerbsManagement management = VerbsManagement.register()) {
            run(f, management);
        }
    }

    private static void run(Fixture f, VerbsManagement management) throws Exception {
        CompletionChannel channel = f.channel().named("news");
        CompletionQueue kept = f.on(channel).named("kept");
        Context context = f.context;
        kept.reqNotify(false);
        Source source = f.source(kept);
        source.complete(1);
        CqEvent event = channel.getCqEvent();
        f.start("reader", () -> channel.getCqEvent());
        CompletionQueue served = f.direct().named("stuck");
        CountDownLatch isInHandler = new CountDownLatch(1);
        CountDownLatch mayGoOn = new CountDownLatch(1);
        served.serve(
                batch -> {
                    isInHandler.countDown();
                    mayGoOn.await();
                });
        f.source(served).complete(1);
        isInHandler.await();
        CqGroup group = f.own(CqGroup.create());
        group.add(f.direct());
        f.start("grouped", () -> group.await(GroupCompletions.allocate(1)));
        BufferPool pool = f.own(BufferPool.of(f.pd, 64, 1));
        Buffer only = f.own(pool.take());
        f.start("taker", () -> pool.take());
        Fixture.eventually(
                "all wait for " + only,
                () ->
                        context.stats().waits().stream()
                                .map(WaitStats::thread)
                                .toList()
                                .containsAll(List.of("reader", "grouped", "taker")));
        ready();
        mayGoOn.countDown();
        event.close();
        System.out.println("unregisters " + management.objectName());
        System.exit(0); // the reader waits
    }

    private static void ready() throws IOException {
        System.out.println("ready");
        while (System.in.read() >= 0) {
            // until the end
        }
    }
}

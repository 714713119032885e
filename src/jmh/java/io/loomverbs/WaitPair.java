package io.loomverbs;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicReference;

/** Two connected RC queue pairs, a CQ each, between which messages of 64 bytes are sent. */
final class WaitPair implements AutoCloseable {
    private static final int BYTES = 64;
    private static final int DEPTH = 256;
    private static final int SIGNAL_EVERY = 8;

    /** Receives posted ahead for a ping-pong. */
    static final int FEW = 8;

    /** The same for a sender that does not wait. */
    static final int MANY = 128;

    /** How a thread gets the next completions. */
    interface Waiting {
        int next(CompletionQueue cq, WorkCompletions batch) throws InterruptedException;
    }

    /** One end. Its requests are for one thread. */
    static final class End implements AutoCloseable {
        final CompletionQueue cq;
        private final QueuePair qp;
        private final MemoryRegion memory;
        private final WorkCompletions batch = WorkCompletions.allocate(4);
        private final SendWorkRequest send = SendWorkRequest.allocate(1, 0);
        private final RecvWorkRequest recv = RecvWorkRequest.allocate(1);
        private int sent;

        private int received;

        End(ProtectionDomain pd, CompletionQueue cq) {
            this.cq = cq;
            qp = pd.createQp(QpConfig.of(QpType.RC, cq).withWr(DEPTH, DEPTH));
            memory = pd.allocateMr(2 * BYTES, Access.LOCAL_WRITE);
        }

        private void connect(End to) {
            qp.connect(to.qp.endpoint());
        }

        void postRecv() {
            qp.postRecv(recv.clear().sge(memory, 0, BYTES));
        }

        /** The send queue forgets requests when a later one that is signaled has completed. */
        void post() {
            send.clear().send().sge(memory, BYTES, BYTES);
            if (++sent % SIGNAL_EVERY == 0) {
                send.signaled();
            }
            qp.postSend(send);
        }

        /** Lets a handler of {@code serve} answer messages until there were so many. */
        Serving serve(int messages, boolean begins) {
            return cq.serve(
                    completions -> {
                        for (int i = 0; i < completions.size(); i++) {
                            requireSuccess(completions, i);
                            if (completions.opcode(i) == WcOpcode.RECV) {
                                received++;
                                postRecv();
                                if (!begins || received < messages) {
                                    post();
                                }
                            }
                        }
                        if (received >= messages) {
                            Thread.currentThread().interrupt();
                        }
                    });
        }

        /** Answers messages until there were so many. */
        void answer(int messages, boolean begins, Waiting waiting) throws InterruptedException {
            if (begins) {
                post();
            }
            int received = 0;
            while (received < messages) {
                received += answerSome(messages - received, begins, waiting.next(cq, batch));
            }
        }

        private int answerSome(int missing, boolean begins, int found) {
            int received = 0;
            for (int i = 0; i < found; i++) {
                requireSuccess(batch, i);
                if (batch.opcode(i) == WcOpcode.RECV) {
                    received++;
                    postRecv();
                    if (!begins || received < missing) {
                        post();
                    }
                }
            }
            return received;
        }

        @Override
        public void close() {
            qp.close();
            cq.close();
            memory.close();
        }
    }

    static void requireSuccess(WorkCompletions batch, int index) {
        if (!batch.isSuccess(index)) {
            throw new IllegalStateException(batch.get(index).toString());
        }
    }

    final End ping;
    final End pong;

    WaitPair(ProtectionDomain pd, WaitStrategy strategy, int receives) {
        this(
                pd,
                pd.context().createDirectCq(2 * DEPTH, strategy),
                pd.context().createDirectCq(2 * DEPTH, strategy),
                receives);
    }

    /** Each end has a channel of its own. */
    WaitPair(ProtectionDomain pd, CompletionChannel first, CompletionChannel second, int receives) {
        this(
                pd,
                pd.context().createCq(2 * DEPTH, null, first, 0),
                pd.context().createCq(2 * DEPTH, null, second, 0),
                receives);
    }

    private WaitPair(
            ProtectionDomain pd, CompletionQueue first, CompletionQueue second, int receives) {
        ping = new End(pd, first);
        pong = new End(pd, second);
        ping.connect(pong);
        pong.connect(ping);
        for (int i = 0; i < receives; i++) {
            ping.postRecv();
            pong.postRecv();
        }
    }

    /** Nanoseconds of a round trip, mean of so many. */
    double roundTrip(int rounds, ThreadFactory threads, Waiting waiting) throws Exception {
        AtomicReference<Throwable> failure = new AtomicReference<>();
        CountDownLatch ready = new CountDownLatch(2);
        long[] nanos = new long[1];
        Thread second =
                threads.newThread(
                        () -> play(ready, failure, () -> pong.answer(rounds, false, waiting)));
        Thread first =
                threads.newThread(
                        () ->
                                play(
                                        ready,
                                        failure,
                                        () -> {
                                            long start = System.nanoTime();
                                            ping.answer(rounds, true, waiting);
                                            nanos[0] = System.nanoTime() - start;
                                        }));
        second.start();
        first.start();
        first.join();
        second.join();
        if (failure.get() != null) {
            throw new IllegalStateException(failure.get());
        }
        return (double) nanos[0] / rounds;
    }

    private interface Play {
        void run() throws InterruptedException;
    }

    private static void play(CountDownLatch ready, AtomicReference<Throwable> failure, Play play) {
        try {
            ready.countDown();
            ready.await();
            play.run();
        } catch (InterruptedException | RuntimeException | Error e) {
            failure.compareAndSet(null, e);
        }
    }

    @Override
    public void close() {
        ping.close();
        pong.close();
    }
}

package io.loomverbs;

/** Serves one CQ. Its frames are part of what an idle handler costs: few and small. */
final class CqServing extends Serving {
    private final DirectReceiver receiver;
    private final CompletionHandler handler;

    CqServing(DirectReceiver receiver, CompletionHandler handler, FailurePolicy policy) {
        super(receiver.cq, policy);
        this.receiver = receiver;
        this.handler = handler;
    }

    @Override
    void claim(Thread thread, boolean first) {
        receiver.lendTo(thread);
    }

    @Override
    void unclaim(Thread thread, boolean last) {
        receiver.served(thread);
    }

    @Override
    void endWaits() {
        receiver.queue.endWaits(stop);
    }

    /*
     * A CQ holds at most cqe() completions, and returns them in order: those that had arrived
     * before the stop are among the first cqe() that are polled after it. So draining ends, even if
     * others keep arriving.
     */
    @Override
    void serveUntilStopped(HandlerCalls calls) throws InterruptedException {
        WorkCompletions batch = BatchSlab.allocate();
        CompletionQueue cq = receiver.cq;
        WaitStrategy strategy = cq.waitStrategy();
        long left = Long.MAX_VALUE;
        while (left > 0) {
            if (isAbandoned()) {
                return;
            }
            boolean stopping = stop.isGiven(); // before the poll
            if (stopping && left == Long.MAX_VALUE) {
                left = cq.cqe();
            }
            int n = CqAwait.await(receiver, batch, 1, Long.MAX_VALUE, strategy, stop);
            if (n == 0) {
                break;
            }
            calls.enter();
            try {
                handler.handle(batch);
            } catch (Throwable e) {
                failed(e);
            } finally {
                calls.leave();
            }
            if (stopping) {
                left -= n;
            }
        }
        drained();
    }
}

package io.loomverbs;

/**
 * What the thread of {@link CompletionQueue#serve} runs.
 *
 * <p>Its frames, and those below it while it waits, are what an idle handler costs: few and small.
 */
final class CqServer implements Runnable {
    private final CompletionQueue cq;
    private final CompletionHandler handler;

    CqServer(CompletionQueue cq, CompletionHandler handler) {
        this.cq = cq;
        this.handler = handler;
    }

    @Override
    public void run() {
        try {
            WorkCompletions batch = BatchSlab.allocate();
            for (; ; ) {
                try {
                    cq.requireToReceive();
                    CqAwait.await(cq, batch, 1, Long.MAX_VALUE, cq.waitStrategy());
                } catch (ClosedException e) {
                    return;
                }
                handler.handle(batch);
            }
        } catch (InterruptedException e) {
            // Asked to end.
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException("the handler of " + cq + " failed", e);
        } finally {
            cq.served(Thread.currentThread());
        }
    }
}

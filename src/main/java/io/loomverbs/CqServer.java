package io.loomverbs;

/**
 * What the thread of {@link CompletionQueue#serve} runs.
 *
 * <p>Its frames, and those below it while it waits, are what an idle handler costs: few and small.
 */
final class CqServer implements Runnable {
    private final DirectReceiver receiver;
    private final CompletionHandler handler;

    CqServer(DirectReceiver receiver, CompletionHandler handler) {
        this.receiver = receiver;
        this.handler = handler;
    }

    @Override
    public void run() {
        try {
            WorkCompletions batch = BatchSlab.allocate();
            for (; ; ) {
                try {
                    receiver.requireToReceive();
                    CqAwait.await(receiver, batch, 1, Long.MAX_VALUE, receiver.cq.waitStrategy());
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
            throw new IllegalStateException("the handler of " + receiver.cq + " failed", e);
        } finally {
            receiver.served(Thread.currentThread());
        }
    }
}

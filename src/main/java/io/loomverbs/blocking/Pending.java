package io.loomverbs.blocking;

import java.time.Duration;

/**
 * A request that is under way. Any number of threads can wait for it, as often as they like.
 *
 * <p>Its memory belongs to the request until it is done, whatever happens to the threads that wait.
 *
 * @since 0.1.0
 */
public final class Pending {
    private final Attachment requests;
    private final Request request;

    Pending(Attachment requests, Request request) {
        this.requests = requests;
        this.request = request;
    }

    /**
     * Parks until the request is done.
     *
     * @throws InterruptedException if the thread was interrupted before or while it waited; the
     *     request goes on
     * @throws RequestFailedException if the request has failed or was flushed
     * @throws io.loomverbs.VerbsException if the device refused to take the request
     * @throws io.loomverbs.ClosedException if the CQ was closed
     */
    public void await() throws InterruptedException {
        requests.sends().await(request, Long.MAX_VALUE);
        request.check();
    }

    /**
     * Parks until the request is done, for at most {@code timeout}. A timeout changes nothing: the
     * request goes on.
     *
     * @param timeout how long to wait; zero only polls
     * @return false if it was not done in time
     * @throws InterruptedException if the thread was interrupted before or while it waited; the
     *     request goes on
     * @throws IllegalArgumentException if the timeout is negative
     * @throws RequestFailedException if the request has failed or was flushed
     * @throws io.loomverbs.VerbsException if the device refused to take the request
     * @throws io.loomverbs.ClosedException if the CQ was closed
     */
    public boolean await(Duration timeout) throws InterruptedException {
        if (!requests.sends().await(request, Check.nanos("timeout", timeout))) {
            return false;
        }
        request.check();
        return true;
    }

    /**
     * Whether the request is done, successfully or not, as far as a thread that waits has seen it.
     * Does not poll.
     *
     * @return true if {@link #await()} would not park
     */
    public boolean isDone() {
        return request.isDone();
    }

    /**
     * The value that an atomic found at the peer.
     *
     * @return the value before the operation
     * @throws IllegalStateException if the request is not done, or not an atomic
     * @throws RequestFailedException if the request has failed or was flushed
     */
    public long previousValue() {
        if (!request.op.isAtomic()) {
            throw new IllegalStateException(this + " has no previous value: it is not an atomic");
        }
        if (!request.isDone()) {
            throw new IllegalStateException(this + " is not done: await it first");
        }
        request.check();
        return request.result;
    }

    /** The operation and the queue pair. */
    @Override
    public String toString() {
        return request + " over " + requests;
    }
}

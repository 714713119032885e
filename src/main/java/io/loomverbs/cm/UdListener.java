package io.loomverbs.cm;

import io.loomverbs.internal.cm.CmIdOps;

import org.jspecify.annotations.Nullable;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Objects;

/**
 * Listens for clients that ask where to send datagrams. Any number of threads may accept at once;
 * each request goes to one of them. A request that arrives while 1024 others wait is rejected.
 *
 * @since 0.1.0
 */
public final class UdListener implements AutoCloseable {
    private final CmIdOps id;
    private final RequestQueue<UdRequest> requests;
    private final InetSocketAddress local;

    UdListener(CmIdOps id, RequestQueue<UdRequest> requests) {
        this.id = id;
        this.requests = requests;
        this.local = Objects.requireNonNull(id.localAddress());
    }

    /**
     * The address that it is bound to, with the port that was chosen if 0 was asked for.
     *
     * @return address and port
     */
    public InetSocketAddress localAddress() {
        return local;
    }

    /**
     * Receives the next request, and waits for it without a time limit.
     *
     * @return the request; accept, reject or close it
     * @throws InterruptedException if the thread was interrupted while it waited
     * @throws io.loomverbs.ClosedException if the listener is closed before or meanwhile
     * @throws ConnectionException if the device was removed, or rdma_cm has failed
     */
    public UdRequest accept() throws InterruptedException {
        return requests.take();
    }

    /**
     * Receives the next request, waiting for at most {@code timeout}.
     *
     * @param timeout how long to wait; zero does not wait
     * @return the request, or null if none came in time
     * @throws InterruptedException if the thread was interrupted while it waited
     * @throws IllegalArgumentException if the timeout is negative
     * @throws io.loomverbs.ClosedException if the listener is closed before or meanwhile
     * @throws ConnectionException if the device was removed, or rdma_cm has failed
     */
    public @Nullable UdRequest accept(Duration timeout) throws InterruptedException {
        return requests.take(Checks.nanos("timeout", timeout));
    }

    /**
     * Stops listening. Requests that no thread has accepted yet are rejected. Waiting threads get a
     * {@link io.loomverbs.ClosedException}. Closing again does nothing.
     */
    @Override
    public void close() {
        requests.close();
        id.destroy();
    }

    /** The address. */
    @Override
    public String toString() {
        return requests.toString();
    }
}

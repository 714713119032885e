package io.loomverbs.cm;

import com.google.errorprone.annotations.concurrent.GuardedBy;

import io.loomverbs.ClosedException;
import io.loomverbs.Gid;
import io.loomverbs.QueuePair;
import io.loomverbs.VerbsException;
import io.loomverbs.internal.cm.Cm;
import io.loomverbs.internal.cm.CmIdOps;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A multicast group that a port of this host has joined, by {@link
 * ConnectionManager#joinMulticast}. Attach the queue pairs that should receive its messages. To
 * send to it, make an address handle of {@link #peer()}.
 *
 * <p>The network may drop the group, for example when its subnet manager restarts. Then no queue
 * pair receives anything any more. {@link #awaitLoss()} returns, and the program can close the
 * group and join again.
 *
 * <p>Safe for use by any number of threads.
 *
 * @since 0.1.0
 */
public final class MulticastGroup implements AutoCloseable {
    private final Endpoint endpoint;
    private final String device;
    private final int port;
    private final InetSocketAddress address;
    private final UdPeer peer;
    private final Gid mgid;

    /** Between attaching and leaving. */
    private final ReentrantLock lock = new ReentrantLock();

    @GuardedBy("lock")
    private final Set<QueuePair> attached = new HashSet<>();

    MulticastGroup(Endpoint endpoint, String device, InetSocketAddress address, UdPeer peer) {
        CmIdOps id = endpoint.ops();
        this.endpoint = endpoint;
        this.device = device;
        this.port = id.portNum();
        this.address = address;
        this.peer = peer;
        this.mgid = Objects.requireNonNull(peer.address().dgid());
        endpoint.establish(() -> {});
    }

    /**
     * Where to send to the group.
     *
     * @return its address, number and qkey, without private data
     */
    public UdPeer peer() {
        return peer;
    }

    /**
     * The device that has joined: the queue pairs must be of this one.
     *
     * @return the name of the device, as {@link io.loomverbs.Device#name()}
     */
    public String deviceName() {
        return device;
    }

    /**
     * The port that has joined.
     *
     * @return the port, from 1 on
     */
    public int port() {
        return port;
    }

    /**
     * Takes a queue pair from RESET or INIT to RTS, with the qkey of the connection manager's
     * groups.
     *
     * @param qp a queue pair of type UD, of {@link #deviceName()}
     * @throws IllegalArgumentException if the queue pair is of another type or device
     * @throws io.loomverbs.ClosedException if the group was left, or the queue pair is closed
     * @throws IllegalStateException if the queue pair is in another state
     * @throws io.loomverbs.VerbsException if the device refuses
     */
    public void init(QueuePair qp) {
        Checks.notNull(qp, "qp");
        ensureOpen();
        QpSteps.activate(endpoint.ops(), qp, device);
    }

    /**
     * Makes a queue pair receive the messages of the group ({@code ibv_attach_mcast}). It cannot be
     * closed until it is {@linkplain #detach detached}, or the group is left. Attaching again does
     * nothing.
     *
     * @param qp a queue pair of type UD, of {@link #deviceName()}
     * @throws IllegalArgumentException if the queue pair is of another type or device
     * @throws io.loomverbs.ClosedException if the group was left, or the queue pair is closed
     * @throws io.loomverbs.VerbsException if the device refuses: see {@link QueuePair#attachMcast}
     */
    public void attach(QueuePair qp) {
        Checks.notNull(qp, "qp");
        lock.lock();
        try {
            ensureOpen();
            QpSteps.checkUd(qp, device);
            qp.attachMcast(mgid, peer.address().dlid());
            attached.add(qp);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Ends {@link #attach} ({@code ibv_detach_mcast}).
     *
     * @param qp the queue pair
     * @throws IllegalArgumentException if the queue pair is of another type or device
     * @throws io.loomverbs.ClosedException if the group was left, or the queue pair is closed
     * @throws io.loomverbs.VerbsException {@code EINVAL} if it is not attached
     */
    public void detach(QueuePair qp) {
        Checks.notNull(qp, "qp");
        lock.lock();
        try {
            ensureOpen();
            QpSteps.checkUd(qp, device);
            qp.detachMcast(mgid, peer.address().dlid());
            attached.remove(qp);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Whether the group is lost: the network has dropped it ({@code
     * RDMA_CM_EVENT_MULTICAST_ERROR}), or the device is gone.
     *
     * @return whether {@link #awaitLoss()} would return at once
     */
    public boolean isLost() {
        return endpoint.end() != null;
    }

    /**
     * Waits without a time limit until the network has dropped the group. Then close it, and join
     * again.
     *
     * @throws InterruptedException if the thread was interrupted
     * @throws io.loomverbs.ClosedException if the group is left before or meanwhile
     * @throws ConnectionException if the device was removed, or rdma_cm has failed
     */
    public void awaitLoss() throws InterruptedException {
        endpoint.awaitEnd(Long.MAX_VALUE, Cm.EVENT_MULTICAST_ERROR);
    }

    /**
     * Waits until the group is lost, for at most {@code timeout}.
     *
     * @param timeout how long to wait; zero does not wait
     * @return whether it is lost
     * @throws InterruptedException if the thread was interrupted
     * @throws IllegalArgumentException if the timeout is negative
     * @throws io.loomverbs.ClosedException if the group is left before or meanwhile
     * @throws ConnectionException if the device was removed, or rdma_cm has failed
     */
    public boolean awaitLoss(Duration timeout) throws InterruptedException {
        return endpoint.awaitEnd(Checks.nanos("timeout", timeout), Cm.EVENT_MULTICAST_ERROR);
    }

    private void ensureOpen() {
        if (endpoint.isClosed()) {
            throw endpoint.closedException();
        }
    }

    /**
     * Leaves the group ({@code rdma_leave_multicast}), and detaches the queue pairs that are
     * attached. Closing again does nothing; if two threads close concurrently, the second waits for
     * the first.
     */
    @Override
    public void close() {
        endpoint.close(this::leave);
    }

    private void leave() {
        List<QueuePair> left;
        lock.lock(); // a thread that attaches has done so, or finds the group closed
        try {
            left = List.copyOf(attached);
            attached.clear();
        } finally {
            lock.unlock();
        }
        for (QueuePair qp : left) {
            try {
                qp.detachMcast(mgid, peer.address().dlid());
            } catch (ClosedException | VerbsException e) {
                // It is detached already, by the program.
            }
        }
        int ignored = endpoint.ops().leaveMulticast(address); // the id goes anyway
    }

    /** The group's address, and the local one. */
    @Override
    public String toString() {
        return endpoint.toString();
    }
}

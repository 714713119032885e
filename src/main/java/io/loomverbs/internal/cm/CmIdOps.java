package io.loomverbs.internal.cm;

import io.loomverbs.internal.device.QpAttr;

import org.jspecify.annotations.Nullable;

import java.net.InetSocketAddress;

/**
 * An id: {@code struct rdma_cm_id}, without a queue pair of its own. Functions return 0 or a
 * negative errno and do not wait; what they start ends in an event. Any thread may call them at any
 * time: after {@link #destroy} they return {@code -EINVAL}.
 */
public interface CmIdOps {
    /** Names the listener of an incoming id. To be called from its {@code CONNECT_REQUEST}. */
    void listener(CmListener events);

    /** {@code rdma_bind_addr}. */
    int bindAddr(InetSocketAddress local);

    /** {@code rdma_listen}. */
    int listen(int backlog);

    /** {@code rdma_resolve_addr}. */
    int resolveAddr(@Nullable InetSocketAddress local, InetSocketAddress remote, int timeoutMs);

    /** {@code rdma_resolve_route}. */
    int resolveRoute(int timeoutMs);

    /** {@code rdma_set_option} of {@code ACK_TIMEOUT}; before {@link #initQpAttr} for RTS. */
    int setAckTimeout(int exponent);

    /**
     * {@code rdma_connect}: {@code CONNECT_RESPONSE} follows, as the id has no queue pair; for
     * datagrams {@code ESTABLISHED}, with {@link CmEvent#ud}.
     */
    int connect(CmConnParam param);

    /** {@code rdma_establish}, when the queue pair is in RTS. */
    int establish();

    /** {@code rdma_accept}, when the queue pair is in RTS; for datagrams no event follows. */
    int accept(CmConnParam param);

    /** {@code rdma_reject}. */
    int reject(byte[] privateData);

    /** {@code rdma_disconnect}. The queue pair is the caller's to take to ERR. */
    int disconnect();

    /** {@code rdma_join_multicast}: {@code MULTICAST_JOIN} follows, with {@link CmEvent#ud}. */
    int joinMulticast(InetSocketAddress group);

    /** {@code rdma_leave_multicast}. Parks. */
    int leaveMulticast(InetSocketAddress group);

    /** {@code rdma_notify} of {@code IBV_EVENT_COMM_EST}. */
    int notifyEstablished();

    /**
     * {@code rdma_init_qp_attr}: fills in what the queue pair needs for {@code attr.qpState}.
     *
     * @return the mask of the attributes, or a negative errno
     */
    int initQpAttr(QpAttr attr);

    /** {@code rdma_get_local_addr}; null while there is none. */
    @Nullable InetSocketAddress localAddress();

    /** {@code rdma_get_peer_addr}; null while there is none. */
    @Nullable InetSocketAddress peerAddress();

    /** The name of {@code id->verbs}' device; null while it is not known. */
    @Nullable String deviceName();

    /** {@code transport_type} of that device; 0, InfiniBand, while it is not known. */
    default int transportType() {
        return 0;
    }

    /** {@code port_num} of that device; 0 while it is not known. */
    int portNum();

    /**
     * {@code rdma_destroy_id}. Notifies a peer as the state demands: that it is rejected, or
     * disconnected. Once this has returned, no event is raised; one that another thread raises just
     * now may still arrive. Parks for calls of other threads on the id.
     */
    void destroy();
}

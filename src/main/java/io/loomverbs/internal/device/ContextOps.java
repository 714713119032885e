package io.loomverbs.internal.device;

import io.loomverbs.internal.event.EventFeed;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/** An open device: {@code struct ibv_context}. Failures are {@link DeviceException}s. */
public interface ContextOps {
    /** {@code ibv_query_device}. */
    DeviceAttr queryDevice();

    /** {@code ibv_query_device_ex}, without what {@link #queryDevice} has. */
    default DeviceAttrEx queryDeviceEx() {
        return DeviceAttrEx.NONE;
    }

    /** {@code ibv_query_port}; the caller has checked that the port exists. */
    PortAttr queryPort(int port);

    /** {@code ibv_query_gid}: 16 bytes in network order; the caller has checked port and index. */
    byte[] queryGid(int port, int index);

    /**
     * {@code ibv_query_gid_ex}; null if there is none. The caller has checked port and index. A
     * device that does not report the types of its GIDs has InfiniBand GIDs.
     */
    default @Nullable GidAttr queryGidEx(int port, int index) {
        ByteBuffer gid = ByteBuffer.wrap(queryGid(port, index));
        long high = gid.getLong();
        long low = gid.getLong();
        return high == 0 && low == 0 ? null : new GidAttr(high, low, index, Ibv.GID_TYPE_IB, 0);
    }

    /** {@code ibv_query_gid_table}, of one port: those that there are, by index. */
    default List<GidAttr> queryGidTable(int port) {
        List<GidAttr> table = new ArrayList<>();
        int length = queryPort(port).gidTblLen();
        for (int i = 0; i < length; i++) {
            GidAttr gid = queryGidEx(port, i);
            if (gid != null) {
                table.add(gid);
            }
        }
        return table;
    }

    /** {@code ibv_query_pkey}: 16 bits; the caller has checked port and index. */
    default int queryPkey(int port, int index) {
        throw DeviceException.unsupported("ibv_query_pkey");
    }

    /**
     * The processors that serve the interrupt of a completion vector; none if there is no
     * interrupt, or the system does not tell. Reads files.
     */
    default BitSet compVectorCpus(int vector) {
        return new BitSet();
    }

    /** {@code ibv_create_comp_channel}. */
    default ChannelOps createCompChannel() {
        throw DeviceException.unsupported("ibv_create_comp_channel");
    }

    /** {@code ibv_create_cq}; {@code events} receives the CQ's events, on any thread. */
    default CqOps createCq(
            int cqe, @Nullable ChannelOps channel, int compVector, CqListener events) {
        throw DeviceException.unsupported("ibv_create_cq");
    }

    /**
     * {@code ibv_create_cq_ex}.
     *
     * @param wcFlags what completions have beyond {@code IBV_WC_STANDARD_FLAGS}
     */
    default CqOps createCqEx(
            int cqe, @Nullable ChannelOps channel, int compVector, int wcFlags, CqListener events) {
        throw DeviceException.unsupported("ibv_create_cq_ex");
    }

    /** {@code ibv_query_rt_values_ex}: the clock of {@code hca_core_clock}, in its ticks. */
    default long queryRawClock() {
        throw DeviceException.unsupported("ibv_query_rt_values_ex");
    }

    /**
     * The channel that carries the events of CQs with direct delivery that were given none; null if
     * they need none. Destroyed with the context.
     */
    default @Nullable ChannelOps directChannel() {
        return null;
    }

    /**
     * The feed from which waiting threads fetch asynchronous events; null if the device raises them
     * itself.
     */
    default @Nullable EventFeed asyncFeed() {
        return null;
    }

    /** {@code ibv_alloc_pd}. */
    default PdOps allocPd() {
        throw DeviceException.unsupported("ibv_alloc_pd");
    }

    /** The faults that can be injected into the device; null if it supports none. */
    default @Nullable FaultOps faults() {
        return null;
    }

    /** Whether the device refuses calls because it was closed. */
    default boolean isClosed() {
        return false;
    }

    /** {@code ibv_close_device}; the caller has checked that nothing is left open. */
    void close();
}

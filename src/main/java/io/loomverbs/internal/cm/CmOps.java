package io.loomverbs.internal.cm;

/** A connection manager: what {@code rdma_event_channel} and the devices behind it are. */
public interface CmOps {
    /**
     * {@code rdma_create_id}. {@code events} receives the events of the id. A {@code
     * DeviceException} says why there is none.
     *
     * @param ps {@link Cm#PS_TCP}, or {@link Cm#PS_UDP} for datagrams
     */
    CmIdOps createId(CmListener events, int ps);
}

package io.loomverbs.internal.cm;

/** A connection manager: what {@code rdma_event_channel} and the devices behind it are. */
public interface CmOps {
    /**
     * {@code rdma_create_id}, of the port space TCP. {@code events} receives the events of the id.
     * A {@code DeviceException} says why there is none.
     */
    CmIdOps createId(CmListener events);
}

package io.loomverbs.internal.cm;

/** Receives the events of one id. */
@FunctionalInterface
public interface CmListener {
    /**
     * An event, which is acknowledged already. Called from any thread, without a lock, in the order
     * in which the manager raises the events of an id. Must not wait for another event, and may
     * destroy ids.
     */
    void event(CmEvent event);
}

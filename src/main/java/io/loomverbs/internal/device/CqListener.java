package io.loomverbs.internal.device;

/** Receives the events of one CQ. Called from any thread; never blocks, never throws. */
public interface CqListener {
    /** The CQ was armed and a completion of the awaited kind was added; it is no longer armed. */
    void completionEvent();

    /** An affiliated asynchronous event, such as {@link Ibv#EVENT_CQ_ERR}. */
    void asyncEvent(int type);

    /** The device is gone: there will be no more events. */
    default void deviceLost() {}
}

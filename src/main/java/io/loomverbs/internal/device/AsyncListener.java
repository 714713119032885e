package io.loomverbs.internal.device;

/**
 * Receives the asynchronous events of one object. Called from any thread; never blocks or throws.
 */
@FunctionalInterface
public interface AsyncListener {
    /** {@code type} is one of the {@code EVENT_} constants of {@link Ibv}. */
    void asyncEvent(int type);
}

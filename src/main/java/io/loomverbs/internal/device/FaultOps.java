package io.loomverbs.internal.device;

import org.jspecify.annotations.Nullable;

import java.util.function.DoubleToLongFunction;

/**
 * Faults that an open device has on request, for tests. They affect the objects of that context.
 * Any thread; changes count for requests that are posted or tried afterwards.
 */
public interface FaultOps {
    /** The seed of all random decisions. */
    long seed();

    void seed(long seed);

    /**
     * Makes the {@code nth} send request that is tried from now on end with {@code status}. @param
     * qp the queue pair whose requests count; null counts those of all
     */
    void failSend(@Nullable QpOps qp, long nth, int status);

    /** The delay of a request in nanoseconds, as a function of a value in 0..1, exclusive of 1. */
    void delay(@Nullable DoubleToLongFunction nanos);

    /** The probability with which a packet is lost. */
    void lose(double probability);

    /** The probability with which a ready receiver answers that it is not. */
    void rnr(double probability);

    /** Ends all of the above. */
    void clear();

    /** Takes the port down, or up again, which an asynchronous event reports. */
    void port(boolean up);

    /** Takes the queue pair to ERR; its oldest send request ends with {@code status}. */
    int kill(QpOps qp, int status);

    /** Makes the CQ overrun. */
    int overrun(CqOps cq);

    /** Removes the device: nothing completes any more, and calls fail with EIO. */
    void loseDevice();
}

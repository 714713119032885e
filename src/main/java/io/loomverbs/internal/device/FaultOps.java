package io.loomverbs.internal.device;

import org.jspecify.annotations.Nullable;

import java.util.function.DoubleToLongFunction;

/**
 * Faults that an open device has on request, for tests. They concern what was created in the one
 * context. Any thread; changes count for requests that are posted or tried afterwards.
 */
public interface FaultOps {
    /** What all random decisions follow from. */
    long seed();

    void seed(long seed);

    /**
     * Has the {@code nth} send request that is tried from now on end with {@code status}.
     *
     * @param qp of which queue pair; null counts those of all
     */
    void failSend(@Nullable QpOps qp, long nth, int status);

    /** Of a value in 0..1, exclusive of 1, the nanoseconds by which a request comes later. */
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

    /** Has the CQ overrun. */
    int overrun(CqOps cq);

    /** The device is gone: nothing completes any more, and what is asked fails with EIO. */
    void loseDevice();
}

package io.loomverbs;

import io.loomverbs.internal.device.PostResult;

/**
 * A chain of work requests could not be posted completely. Requests before the refused one ({@code
 * bad_wr} in verbs) were posted, it and later ones were not. A device may fail without naming the
 * request: see {@link #posted()}.
 *
 * @since 0.1.0
 */
public final class PostException extends VerbsException {
    private static final long serialVersionUID = 1L;

    /** {@link #posted()} if the device does not say how many requests it accepted. */
    public static final int UNKNOWN = PostResult.UNKNOWN;

    /** How many requests of the chain were accepted, or {@link #UNKNOWN}. */
    private final int posted;

    PostException(String verb, int errno, int posted, String detail) {
        super(verb, errno, detail);
        this.posted = posted;
    }

    /**
     * How many work requests of the chain were posted before the one that was refused.
     *
     * @return 0 if the first was refused; then nothing has changed. {@link #UNKNOWN}, which is -1,
     *     if the device does not say: any request of the chain may be in the queue and be executed
     *     later. Do not post these requests again, or free their memory, before the queue pair is
     *     taken to {@link QpState#ERR}, which flushes them, or to {@link QpState#RESET}
     */
    public int posted() {
        return posted;
    }
}

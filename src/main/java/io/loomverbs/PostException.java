package io.loomverbs;

import io.loomverbs.internal.device.PostResult;

/**
 * Posting a chain of work requests failed at one of them. Those before it were posted; it and those
 * after it were not: what verbs calls {@code bad_wr}. A device may fail without saying at which:
 * see {@link #posted()}.
 */
public final class PostException extends VerbsException {
    private static final long serialVersionUID = 1L;

    /** {@link #posted()} of a device that does not say how many requests it has taken. */
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
     *     if the device does not say: any of the chain may be in the queue and be done later. Such
     *     requests must not be posted again, nor their memory be freed, before the queue pair is
     *     taken to {@link QpState#ERR}, which flushes them, or to {@link QpState#RESET}
     */
    public int posted() {
        return posted;
    }
}

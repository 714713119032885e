package io.loomverbs.internal.device;

/**
 * The result of posting a chain of work requests, in one {@code long} so that posting allocates
 * nothing: {@link #OK}, or an errno and how many requests were accepted before the one that was not
 * (verbs' {@code bad_wr}).
 */
public final class PostResult {
    public static final long OK = 0;

    /**
     * In place of the number of accepted requests, if the device does not report it: any request of
     * the chain may be in the queue.
     */
    public static final int UNKNOWN = -1;

    private PostResult() {}

    public static long failed(int errno, int accepted) {
        return (long) accepted << 32 | errno;
    }

    public static int errno(long result) {
        return (int) result;
    }

    public static int accepted(long result) {
        return (int) (result >> 32);
    }
}

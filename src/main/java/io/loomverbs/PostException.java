package io.loomverbs;

/**
 * Posting a chain of work requests failed at one of them. Those before it were posted; it and those
 * after it were not: what verbs calls {@code bad_wr}.
 */
public final class PostException extends VerbsException {
    private static final long serialVersionUID = 1L;

    /** How many requests of the chain were accepted. */
    private final int posted;

    PostException(String verb, int errno, int posted, String detail) {
        super(verb, errno, detail);
        this.posted = posted;
    }

    /**
     * How many work requests of the chain were posted before the one that was refused.
     *
     * @return 0 if the first was refused; then nothing has changed
     */
    public int posted() {
        return posted;
    }
}

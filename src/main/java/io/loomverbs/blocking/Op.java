package io.loomverbs.blocking;

/** The kinds of requests, as messages name them. */
enum Op {
    SEND("send"),
    WRITE("write"),
    READ("read"),
    COMPARE_AND_SWAP("compareAndSwap"),
    FETCH_ADD("fetchAdd"),
    OTHER("request");

    private final String word;

    Op(String word) {
        this.word = word;
    }

    boolean isAtomic() {
        return this == COMPARE_AND_SWAP || this == FETCH_ADD;
    }

    @Override
    public String toString() {
        return word;
    }
}

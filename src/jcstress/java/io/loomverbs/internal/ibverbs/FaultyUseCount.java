package io.loomverbs.internal.ibverbs;

/** {@code UseCount}, whose user looks first and counts then. */
final class FaultyUseCount {
    private volatile int users = 1;

    boolean enter() {
        int n = users;
        if (n == 0) {
            return false;
        }
        users = n + 1;
        return true;
    }

    @SuppressWarnings("NonAtomicVolatileUpdate") // that is the fault
    boolean leave() {
        return --users == 0;
    }
}

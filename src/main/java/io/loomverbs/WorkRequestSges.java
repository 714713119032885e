package io.loomverbs;

/** Checks of scatter/gather entries, the same for sends and receives. */
final class WorkRequestSges {
    private WorkRequestSges() {}

    static void check(int used, int max, MemoryRegion mr, long offset, int length) {
        Arguments.notNull(mr, "mr");
        mr.ensureOpen();
        checkRoom(used, max);
        Arguments.inRange("offset", offset, 0, mr.length(), "the length of " + mr);
        Arguments.inRange(
                "length", (long) length, 0, mr.length() - offset, "what is left of " + mr);
    }

    static void checkRoom(int used, int max) {
        if (used >= max) {
            throw new IllegalStateException(
                    "the request has " + used + " scatter/gather entries and room for " + max);
        }
    }

    /** The protection domain that a request belongs to after {@code added} was named in it. */
    static ProtectionDomain samePd(
            @org.jspecify.annotations.Nullable ProtectionDomain pd,
            ProtectionDomain added,
            Object what) {
        if (pd != null && pd != added) {
            throw new IllegalArgumentException(
                    what + " is of " + added + ", but the request names memory of " + pd);
        }
        return added;
    }
}

package io.loomverbs;

/** Checks of scatter/gather entries, the same for sends and receives. */
final class WorkRequestSges {
    private WorkRequestSges() {}

    static void check(int used, int max, MemoryRegion mr, long offset, int length) {
        Arguments.notNull(mr, "mr");
        mr.ensureOpen();
        checkRoom(used, max);
        // The messages name the region, which takes longer than the rest of a request: only if bad.
        if (offset < 0 || offset > mr.length()) {
            Arguments.inRange("offset", offset, 0, mr.length(), "the length of " + mr);
        }
        if (length < 0 || length > mr.length() - offset) {
            Arguments.inRange(
                    "length", (long) length, 0, mr.length() - offset, "what is left of " + mr);
        }
    }

    /** The length of an entry for a whole region; an entry counts its bytes in an int. */
    static int whole(MemoryRegion mr) {
        Arguments.notNull(mr, "mr");
        if (mr.length() > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(
                    "mr is "
                            + mr
                            + ", but one entry names at most "
                            + Integer.MAX_VALUE
                            + " bytes: add it in parts");
        }
        return (int) mr.length();
    }

    static void checkRoom(int used, int max) {
        if (used >= max) {
            throw new IllegalStateException(
                    "the request has " + used + " scatter/gather entries and room for " + max);
        }
    }

    /** Says how {@code entries} exceed those {@code granted}; empty if they do not. */
    static String excess(int entries, int granted) {
        return entries <= granted
                ? ""
                : entries + " scatter/gather entries, but was granted " + granted;
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

package io.loomverbs.internal.ibverbs;

import java.util.concurrent.atomic.AtomicReferenceArray;

/** {@link NativeIds} of one place, without generations. */
final class FaultyNativeIds {
    private final AtomicReferenceArray<String> entries = new AtomicReferenceArray<>(1);

    long add(String object) {
        entries.set(0, object);
        return 1;
    }

    String get(long id) {
        return entries.get((int) id - 1);
    }

    void remove(long id) {
        entries.set((int) id - 1, null);
    }
}

package io.loomverbs.blocking;

import org.jspecify.annotations.Nullable;

import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Requests that blocking calls have finished with, for later calls. A request that finds no place,
 * or that another one overwrites, is left to the collector; a thread that finds none makes one.
 */
final class RequestCache {
    private static final int MOST = 1024;
    private static final int TRIES = 4;

    private final AtomicReferenceArray<@Nullable Request> places;

    RequestCache(int powerOfTwo) {
        places = new AtomicReferenceArray<>(Math.min(MOST, powerOfTwo));
    }

    private int start() {
        return (int) Thread.currentThread().threadId();
    }

    @Nullable Request take() {
        int mask = places.length() - 1;
        int at = start();
        for (int i = 0; i < TRIES; i++) {
            int place = at + i & mask;
            if (places.get(place) != null) {
                Request r = places.getAndSet(place, null);
                if (r != null) {
                    return r;
                }
            }
        }
        return null;
    }

    void put(Request r) {
        int mask = places.length() - 1;
        int at = start();
        for (int i = 0; i < TRIES; i++) {
            int place = at + i & mask;
            if (places.get(place) == null) {
                places.setRelease(place, r);
                return;
            }
        }
    }
}

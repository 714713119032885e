package io.loomverbs.fault;

import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * A change of one method.
 *
 * @param place finds the elements that are changed
 * @param instead writes something else where such an element was
 * @param begin writes what comes before the first element
 */
record Change(Predicate<Site> place, Consumer<Site> instead, Consumer<Site> begin) {
    Change(Predicate<Site> place, Consumer<Site> instead) {
        this(place, instead, start -> {});
    }

    /** Only the place of that number, from 1 on. */
    Change number(int number) {
        int[] seen = {0};
        return new Change(s -> place.test(s) && ++seen[0] == number, instead, begin);
    }
}

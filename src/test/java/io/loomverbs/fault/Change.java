package io.loomverbs.fault;

import java.util.function.Supplier;

/**
 * What is wrong in a method; {@link Changes} has them.
 *
 * @param number only the place of that number, from 1 on; 0 is all of them
 * @param defect begins anew for each method
 */
record Change(int number, Supplier<Defect> defect) {
    Change(Supplier<Defect> defect) {
        this(0, defect);
    }

    /** Only where this happens for that time, from 1 on. */
    Change number(int time) {
        return new Change(time, defect);
    }

    /** Changes one method. */
    interface Defect {
        /** Whether something else is to be written instead of this element. */
        boolean isAbout(Site site);

        /** Writes that. */
        void write(Site site);

        /** Writes what comes before the first element. */
        default void begin(Site start) {}
    }
}

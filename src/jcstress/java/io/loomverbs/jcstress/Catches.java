package io.loomverbs.jcstress;

import java.lang.annotation.ElementType;
import java.lang.annotation.Repeatable;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * A fault that this race must show. {@link PlantedFaults} runs the race with the fault planted into
 * the shipped class, and fails unless the outcome is seen.
 */
@Repeatable(Catches.All.class)
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
public @interface Catches {
    /** The name of the fault in {@code faults.txt}. */
    String value();

    /** The id of the forbidden outcome that shows it. */
    String as();

    /** What one race catches. */
    @Retention(RetentionPolicy.RUNTIME)
    @Target(ElementType.TYPE)
    @interface All {
        /** Each of them. */
        Catches[] value();
    }
}

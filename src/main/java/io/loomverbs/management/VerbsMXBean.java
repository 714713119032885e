package io.loomverbs.management;

import io.loomverbs.ContextStats;

import java.util.List;

/**
 * The open contexts of this JVM, for JMX.
 *
 * @since 0.1.0
 */
public interface VerbsMXBean {
    /**
     * How the CQs, channels and waiting threads of all open contexts are: see {@link
     * io.loomverbs.Context#stats}. A context that is just being closed may be left out.
     *
     * @return an element for each context, those that were opened first in front
     */
    List<ContextStats> getContexts();

    /**
     * The same as text for people: see {@link io.loomverbs.Context#dump}.
     *
     * @return some lines for each context; empty if none is open
     */
    String dump();
}

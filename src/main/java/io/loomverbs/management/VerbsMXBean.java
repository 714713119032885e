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
     * The state of the CQs, channels and waiting threads of all open contexts: see {@link
     * io.loomverbs.Context#stats}. A context that is just being closed may be left out.
     *
     * @return an element for each context, in the order in which they were opened
     */
    List<ContextStats> getContexts();

    /**
     * The same as text for people: see {@link io.loomverbs.Context#dump}.
     *
     * @return some lines for each context; empty if none is open
     */
    String dump();
}

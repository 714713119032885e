package io.loomverbs;

import org.jspecify.annotations.Nullable;

import java.util.EnumSet;
import java.util.Set;

/**
 * The configuration of a new extended CQ ({@code struct ibv_cq_init_attr_ex}). Start with {@link
 * #of} or {@link #direct}; each {@code with} method gives a changed copy.
 *
 * @param cqe how many completions it must be able to hold; the device may give more
 * @param cqContext any object; each event returns it
 * @param channel where its events are delivered, or with direct delivery, whose file descriptor
 *     carries them; null for a CQ that is only polled, or with direct delivery, for a channel of
 *     the context's own
 * @param compVector the completion vector that signals its events, 0 to {@code numCompVectors() -
 *     1}
 * @param isDirect whether its events wake only threads that wait for this CQ
 * @param strategy how {@link CompletionQueue#await} and {@link CompletionQueue#serve} wait
 * @param fields the fields of its completions beyond those of a plain CQ
 * @since 0.1.0
 */
public record CqConfig(
        int cqe,
        @Nullable Object cqContext,
        @Nullable CompletionChannel channel,
        int compVector,
        boolean isDirect,
        WaitStrategy strategy,
        Set<WcField> fields) {
    /**
     * Checks everything that does not depend on a device; creating the CQ checks the device's
     * limits.
     *
     * @throws IllegalArgumentException if {@code cqe} is less than 1, or {@code compVector} than 0
     */
    public CqConfig {
        Arguments.inRange("cqe", cqe, 1, Integer.MAX_VALUE, "a CQ holds something");
        Arguments.inRange("compVector", compVector, 0, Integer.MAX_VALUE, "vectors count from 0");
        Arguments.notNull(strategy, "strategy");
        fields = Set.copyOf(Arguments.notNull(fields, "fields"));
    }

    /**
     * A CQ that is only polled, or, {@link #withChannel}, delivers its events to a channel; on
     * vector 0, and without any field beyond those of a plain CQ.
     *
     * @param cqe how many completions it must be able to hold
     * @return the configuration
     * @throws IllegalArgumentException if {@code cqe} is less than 1
     */
    public static CqConfig of(int cqe) {
        return new CqConfig(cqe, null, null, 0, false, WaitStrategy.ADAPTIVE, Set.of());
    }

    /**
     * A CQ with direct delivery; otherwise like {@link #of}.
     *
     * @param cqe how many completions it must be able to hold
     * @return the configuration
     * @throws IllegalArgumentException if {@code cqe} is less than 1
     */
    public static CqConfig direct(int cqe) {
        return new CqConfig(cqe, null, null, 0, true, WaitStrategy.ADAPTIVE, Set.of());
    }

    /**
     * Changes what each event returns.
     *
     * @param object any object, or null
     * @return a changed copy
     */
    public CqConfig withCqContext(@Nullable Object object) {
        return new CqConfig(cqe, object, channel, compVector, isDirect, strategy, fields);
    }

    /**
     * Changes the channel.
     *
     * @param carrier the channel of the events, or null: see the components
     * @return a changed copy
     */
    public CqConfig withChannel(@Nullable CompletionChannel carrier) {
        return new CqConfig(cqe, cqContext, carrier, compVector, isDirect, strategy, fields);
    }

    /**
     * Changes the completion vector.
     *
     * @param vector the vector, such as {@link Context#chooseCompVector} gives
     * @return a changed copy
     * @throws IllegalArgumentException if {@code vector} is less than 0
     */
    public CqConfig withCompVector(int vector) {
        Arguments.inRange("vector", vector, 0, Integer.MAX_VALUE, "vectors count from 0");
        return new CqConfig(cqe, cqContext, channel, vector, isDirect, strategy, fields);
    }

    /**
     * Changes how threads wait.
     *
     * @param how how {@link CompletionQueue#await} and {@link CompletionQueue#serve} wait
     * @return a changed copy
     */
    public CqConfig withWaitStrategy(WaitStrategy how) {
        Arguments.notNull(how, "how");
        return new CqConfig(cqe, cqContext, channel, compVector, isDirect, how, fields);
    }

    /**
     * Changes which fields the completions have beyond those of a plain CQ.
     *
     * @param wanted all of these fields
     * @return a changed copy
     */
    public CqConfig withFields(WcField... wanted) {
        Arguments.notNull(wanted, "wanted");
        Set<WcField> set = EnumSet.noneOf(WcField.class);
        for (WcField field : wanted) {
            set.add(Arguments.notNull(field, "wanted"));
        }
        return new CqConfig(cqe, cqContext, channel, compVector, isDirect, strategy, set);
    }
}

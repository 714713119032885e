package io.loomverbs.internal.device;

import java.lang.foreign.MemorySegment;

/** A completion queue: {@code struct ibv_cq}. Operations return a negative errno on failure. */
public interface CqOps {
    /** The actual size, at least what was asked for. */
    int cqe();

    /**
     * {@code ibv_poll_cq}: moves at most {@code max} completions to {@code wcs}, as {@link
     * WcStruct}s from byte {@code at} on; returns how many. Any thread; allocates nothing.
     */
    int poll(MemorySegment wcs, long at, int max);

    /**
     * Like {@link #poll}, with the fields of an extended CQ: {@code extras} has {@link WcExtras}
     * for each completion that the batch can hold.
     */
    default int pollEx(MemorySegment wcs, long at, int max, long[] extras) {
        return -Errno.EOPNOTSUPP;
    }

    /** {@code ibv_req_notify_cq}: one shot; never weakens a stronger arm. */
    default int reqNotify(boolean solicitedOnly) {
        return -Errno.EOPNOTSUPP;
    }

    /**
     * As {@link #reqNotify} for all completions, but the event may wait until the CQ holds so many
     * completions, at least 1. A device that cannot count raises it for the next one. Of several
     * arms the one for the fewest counts.
     */
    default int reqNotifyAt(int completions) {
        return reqNotify(false);
    }

    /** Whether {@link #reqNotifyAt} waits for several completions. */
    default boolean countsCompletions() {
        return false;
    }

    /** A CQ that is armed for several completions is armed for the next one from now on. */
    default void lowerArm() {}

    /** {@code ibv_resize_cq}; {@code -EINVAL} if it holds more than that. */
    default int resize(int cqe) {
        return -Errno.EOPNOTSUPP;
    }

    /**
     * {@code ibv_modify_cq} with {@code IBV_CQ_ATTR_MODERATE}: both have 16 bits, and 0 is no
     * limit.
     */
    default int moderate(int count, int periodMicros) {
        return -Errno.EOPNOTSUPP;
    }

    /** How many completions were polled. What is under way may be left out; 0 if not counted. */
    default long polled() {
        return 0;
    }

    /**
     * How many calls of {@link #reqNotify} have armed it. What is under way may be left out; 0 if
     * not counted.
     */
    default long arms() {
        return 0;
    }

    /** How many events it has raised. What is under way may be left out; 0 if not counted. */
    default long events() {
        return 0;
    }

    /** Whether the CQ refuses calls because it was destroyed. */
    default boolean isDestroyed() {
        return false;
    }

    /** {@code ibv_destroy_cq}; never blocks. {@code -EBUSY} while queue pairs use the CQ. */
    int destroy();
}

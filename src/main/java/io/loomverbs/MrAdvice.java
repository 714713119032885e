package io.loomverbs;

import io.loomverbs.internal.device.Ibv;

/**
 * Advice to a device about memory that it pages on demand ({@code enum ibv_advise_mr_advice}).
 *
 * @since 0.1.0
 */
public enum MrAdvice {
    /** Load the pages, for the device to read. */
    PREFETCH(Ibv.ADVISE_MR_ADVICE_PREFETCH),
    /** Load the pages, for the device to read and write; only with {@link Access#LOCAL_WRITE}. */
    PREFETCH_WRITE(Ibv.ADVISE_MR_ADVICE_PREFETCH_WRITE),
    /** Tell the device of those pages that are in memory already, and load no others. */
    PREFETCH_NO_FAULT(Ibv.ADVISE_MR_ADVICE_PREFETCH_NO_FAULT);

    private final int advice;

    MrAdvice(int advice) {
        this.advice = advice;
    }

    int advice() {
        return advice;
    }
}

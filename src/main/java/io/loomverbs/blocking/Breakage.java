package io.loomverbs.blocking;

import io.loomverbs.WcStatus;
import io.loomverbs.WorkCompletions;

import org.jspecify.annotations.Nullable;

/**
 * The cause why a queue pair no longer works: the first failure of it that was seen.
 *
 * @param status the status of the request that broke it
 * @param statusNumber its value in verbs
 * @param vendorError the device's own number
 * @param culprit the request that broke it, in words
 * @param cause the exception, if no completion reported the failure
 */
record Breakage(
        WcStatus status,
        int statusNumber,
        int vendorError,
        String culprit,
        @Nullable Throwable cause) {

    static Breakage of(WorkCompletions batch, int i, String culprit) {
        return new Breakage(
                batch.status(i), batch.statusNumber(i), batch.vendorError(i), culprit, null);
    }

    static Breakage of(String what, Throwable cause) {
        return new Breakage(WcStatus.WR_FLUSH_ERR, 5, 0, what, cause);
    }

    /** Why a request failed, in words. */
    String explain(Object request, WcStatus own) {
        if (own == WcStatus.WR_FLUSH_ERR && status != WcStatus.WR_FLUSH_ERR) {
            return request + " was flushed, because of an earlier one: " + culprit + why();
        }
        return request + why();
    }

    /** Why the queue pair takes no more requests, in words. */
    String explain() {
        return "it takes no more requests since this failed: " + culprit + why();
    }

    private String why() {
        if (cause != null) {
            return ": " + cause;
        }
        String vendor =
                vendorError == 0 ? "" : ", vendor error 0x" + Integer.toHexString(vendorError);
        return " failed with " + status + vendor + ": " + status.hint();
    }
}

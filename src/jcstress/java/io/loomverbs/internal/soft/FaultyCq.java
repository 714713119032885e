package io.loomverbs.internal.soft;

import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.WcStruct;

import java.lang.foreign.MemorySegment;

/** {@link SoftCq} on a ring that does not turn, with one fault. */
final class FaultyCq {
    /** What is wrong. */
    enum Fault {
        /** The arm is read and written without the monitor. */
        ARM_UNLOCKED,
        /** The arm is looked at before the completion is there, without the monitor. */
        ARM_LOOKED_AT_FIRST,
        /** A completion is added without the monitor. */
        ADD_UNLOCKED,
        /** Completions are taken without the monitor. */
        POLL_UNLOCKED,
        /** A poll writes back whether the queue has overrun, without the monitor. */
        OVERRUN_WRITTEN_BACK,
        /** A completion is announced before it is written, and there is no monitor. */
        SIZE_FIRST
    }

    private static final int WORDS = 3;

    private final Fault fault;
    private final int cqe;
    private final long[] words = new long[4 * WORDS];
    private int head;
    private volatile int size;
    private int arm;
    private volatile boolean overrun;

    FaultyCq(Fault fault) {
        this(4, fault);
    }

    FaultyCq(int cqe, Fault fault) {
        this.cqe = cqe;
        this.fault = fault;
    }

    int add(long wrId, int imm, int qpNum) {
        if (fault == Fault.ADD_UNLOCKED
                || fault == Fault.SIZE_FIRST
                || fault == Fault.ARM_LOOKED_AT_FIRST) {
            return addNow(wrId, imm, qpNum);
        }
        synchronized (this) {
            return addNow(wrId, imm, qpNum);
        }
    }

    private int addNow(long wrId, int imm, int qpNum) {
        int n = size;
        int armed = arm;
        if (n == cqe) {
            overrun = true;
            return SoftCq.OVERRUN;
        }
        if (fault == Fault.ARM_LOOKED_AT_FIRST) {
            pause();
        }
        if (fault == Fault.SIZE_FIRST) {
            size = n + 1;
            pause();
        }
        int at = (head + n) * WORDS;
        words[at] = wrId;
        words[at + 1] = imm;
        words[at + 2] = qpNum;
        if (fault != Fault.SIZE_FIRST) {
            size = n + 1;
        }
        if (fault != Fault.ARM_LOOKED_AT_FIRST) {
            armed = arm;
        }
        if (armed != 2) {
            return 0;
        }
        pause();
        arm = 0;
        return SoftCq.FIRED;
    }

    void reqNotify(boolean solicitedOnly) {
        int wanted = solicitedOnly ? 1 : 2;
        if (fault == Fault.ARM_UNLOCKED) {
            int before = arm;
            pause();
            arm = Math.max(before, wanted);
        } else {
            synchronized (this) {
                arm = Math.max(arm, wanted);
            }
        }
    }

    int poll(MemorySegment wcs, long at) {
        if (!overrun && size == 0) {
            return 0;
        }
        if (fault == Fault.POLL_UNLOCKED
                || fault == Fault.SIZE_FIRST
                || fault == Fault.OVERRUN_WRITTEN_BACK) {
            return pollNow(wcs, at);
        }
        synchronized (this) {
            return pollNow(wcs, at);
        }
    }

    private int pollNow(MemorySegment wcs, long at) {
        boolean overrunBefore = overrun;
        int n = size;
        if (n == 0) {
            return overrun ? -Errno.EIO : 0;
        }
        int from = head * WORDS;
        WcStruct.put(
                wcs,
                at,
                words[from],
                Ibv.WC_SUCCESS,
                Ibv.WC_RECV,
                0,
                (int) words[from + 1],
                (int) words[from + 2],
                0,
                0,
                0);
        pause();
        if (fault == Fault.OVERRUN_WRITTEN_BACK) {
            overrun = overrunBefore;
        }
        head++;
        size = n - 1;
        return 1;
    }

    /** Shows the fault more often than it would show by itself. */
    private static void pause() {
        for (int i = 0; i < 300; i++) {
            Thread.onSpinWait();
        }
    }
}

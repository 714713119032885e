package io.loomverbs.internal.soft;

import org.jspecify.annotations.Nullable;

/** A work completion that is about to be added to a CQ; used again for the next. */
final class SoftWc {
    int qpNum;
    long wrId;
    int status;
    int opcode;
    int byteLen;
    int immData;
    int srcQp;
    int wcFlags;
    int slid;
    int sl;
    boolean solicited;

    /** The action of a strict device when the completion is polled, if there is one. */
    @Nullable Runnable polled;

    /** Sets these fields, and all others to 0. */
    SoftWc set(int newQpNum, long newWrId, int newStatus, int newOpcode, int newByteLen) {
        qpNum = newQpNum;
        wrId = newWrId;
        status = newStatus;
        opcode = newOpcode;
        byteLen = newByteLen;
        immData = 0;
        srcQp = 0;
        wcFlags = 0;
        slid = 0;
        sl = 0;
        solicited = false;
        polled = null;
        return this;
    }
}

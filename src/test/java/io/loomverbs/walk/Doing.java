package io.loomverbs.walk;

import io.loomverbs.QpState;
import io.loomverbs.QpType;

import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.Set;

/** What a step of a {@link Programme} did, as far as a {@link Deviation} may depend on it. */
record Doing(
        String text,
        QpType type,
        @Nullable Send send,
        @Nullable String refusal,
        List<QpState> before,
        List<List<Receive>> receives,
        List<Arm> arms,
        Set<Long> withImm,
        int mtu,
        int retries,
        int maxRdAtomic) {

    /** What a CQ is armed for. */
    enum Arm {
        NOTHING,
        SOLICITED,
        ALL
    }

    /** The operations of a send queue. */
    enum Kind {
        SEND,
        SEND_IMM,
        WRITE,
        WRITE_IMM,
        READ,
        SWAP,
        ADD;

        boolean isAtomic() {
            return this == SWAP || this == ADD;
        }

        boolean fetches() {
            return this == READ || isAtomic();
        }

        boolean hasImm() {
            return this == SEND_IMM || this == WRITE_IMM;
        }

        boolean isSend() {
            return this == SEND || this == SEND_IMM;
        }
    }

    /** What is wrong with a request. */
    enum Fault {
        READ_ONLY_TARGET,
        UNKNOWN_RKEY,
        BEYOND_TARGET,
        ODD_TARGET,
        UNKNOWN_LKEY,
        BEYOND_LOCAL,
        READ_ONLY_LOCAL,
        NONE
    }

    /** A request that was posted, or refused. */
    record Send(
            long wrId,
            int side,
            Kind kind,
            Fault fault,
            boolean inline,
            int entries,
            boolean solicited,
            int length) {
        int peer() {
            return 1 - side;
        }
    }

    /** A receive request that waits for a message. */
    record Receive(long wrId, int capacity, boolean isGood) {}
}

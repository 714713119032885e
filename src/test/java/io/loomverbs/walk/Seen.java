package io.loomverbs.walk;

import io.loomverbs.QpState;
import io.loomverbs.WcOpcode;
import io.loomverbs.WcStatus;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;

/**
 * What came of a step: completions and events of the four CQs, the states of the two queue pairs,
 * and a checksum of the memory of both sides, which is undefined after a failure.
 */
record Seen(
        @Nullable String refusal,
        List<List<Done>> completions,
        List<Integer> events,
        List<QpState> states,
        @Nullable List<Long> memory) {

    /** A completion, with what its status and opcode make valid. */
    record Done(
            long wrId,
            WcStatus status,
            @Nullable WcOpcode opcode,
            int bytes,
            boolean hasImm,
            int imm) {
        static Done failed(long wrId, WcStatus status) {
            return new Done(wrId, status, null, 0, false, 0);
        }

        boolean isGood() {
            return status == WcStatus.SUCCESS;
        }

        Done ofBytes(int other) {
            return new Done(wrId, status, opcode, other, hasImm, imm);
        }

        Done with(WcStatus other) {
            return failed(wrId, other);
        }

        @Override
        public String toString() {
            return wrId
                    + " "
                    + status
                    + (opcode == null ? "" : " " + opcode + " " + bytes)
                    + (hasImm ? " imm " + imm : "");
        }
    }

    /** The index of the CQ of a side. */
    static int cq(int side, boolean ofReceives) {
        return 2 * side + (ofReceives ? 1 : 0);
    }

    boolean failed() {
        return completions.stream().flatMap(List::stream).anyMatch(d -> !d.isGood());
    }

    List<Done> sends(int side) {
        return completions.get(cq(side, false));
    }

    List<Done> receives(int side) {
        return completions.get(cq(side, true));
    }

    /** Whether they are the same, with the memory where it is defined. */
    boolean agrees(Seen other) {
        return equals(other.withMemory(memory))
                && (memory == null || other.memory == null || memory.equals(other.memory));
    }

    Seen withMemory(@Nullable List<Long> other) {
        return new Seen(refusal, completions, events, states, other);
    }

    Seen withRefusal(@Nullable String other) {
        return new Seen(other, completions, events, states, memory);
    }

    Seen withState(int side, QpState state) {
        List<QpState> changed = new ArrayList<>(states);
        changed.set(side, state);
        return new Seen(refusal, completions, events, List.copyOf(changed), memory);
    }

    Seen withStates(List<QpState> other) {
        return new Seen(refusal, completions, events, other, memory);
    }

    Seen with(int cq, List<Done> done, int eventsOfIt) {
        List<List<Done>> changed = new ArrayList<>(completions);
        changed.set(cq, List.copyOf(done));
        List<Integer> raised = new ArrayList<>(events);
        raised.set(cq, eventsOfIt);
        return new Seen(refusal, List.copyOf(changed), List.copyOf(raised), states, memory);
    }

    /** Without any completion or event. */
    Seen quiet() {
        Seen quiet = this;
        for (int cq = 0; cq < completions.size(); cq++) {
            quiet = quiet.with(cq, List.of(), 0);
        }
        return quiet;
    }
}

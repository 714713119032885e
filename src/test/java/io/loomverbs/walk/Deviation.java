package io.loomverbs.walk;

import io.loomverbs.QpState;
import io.loomverbs.QpType;
import io.loomverbs.WcStatus;
import io.loomverbs.walk.Doing.Fault;
import io.loomverbs.walk.Doing.Kind;
import io.loomverbs.walk.Doing.Receive;
import io.loomverbs.walk.Doing.Send;
import io.loomverbs.walk.Seen.Done;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.UnaryOperator;

/**
 * Where soft-RoCE of Linux 6.1 differs from strict0: what it makes of an outcome. docs/testing.md
 * lists each, with its reason, in "Where rxe0 differs".
 */
enum Deviation {
    IMMEDIATE_OF_A_SEND(
            "a send with an immediate completes without `WC_WITH_IMM`",
            End.GOES_ON,
            (d, e) ->
                    atEachEnd(
                            e,
                            (seen, side) ->
                                    replace(seen, Seen.cq(side, false), done -> withImm(d, done)))),

    UNKNOWN_LOCAL_KEY(
            "a local key that names no region: `LOC_PROT_ERR`",
            End.GOES_ON,
            (d, e) ->
                    d.send() == null || d.send().fault() != Fault.UNKNOWN_LKEY || fetches(d)
                            ? e
                            : instead(
                                    e,
                                    Seen.cq(d.send().side(), false),
                                    WcStatus.LOC_PROT_ERR,
                                    WcStatus.LOC_QP_OP_ERR)),

    BAD_RECEIVE_BUFFER(
            "a receive buffer that may not be written: `LOC_PROT_ERR`",
            End.GOES_ON,
            (d, e) ->
                    atEachEnd(
                            e,
                            (seen, side) ->
                                    instead(
                                            seen,
                                            Seen.cq(side, true),
                                            WcStatus.LOC_PROT_ERR,
                                            WcStatus.LOC_QP_OP_ERR))),

    TOO_LONG(
            "a message longer than the peer's buffer: `REM_INV_REQ_ERR`",
            End.GOES_ON,
            (d, e) ->
                    atEachEnd(
                            e,
                            (seen, side) ->
                                    has(e.receives(side), WcStatus.LOC_LEN_ERR)
                                            ? lengthError(seen, side)
                                            : seen)),

    TOO_LONG_UNRELIABLY(
            "a message too long for a buffer of UC or UD is lost",
            End.PARTS,
            (d, e) -> {
                Send send = d.send();
                if (d.type() == QpType.RC
                        || send == null
                        || !send.kind().isSend()
                        || !has(e.sends(send.side()), WcStatus.SUCCESS)
                        || !hears(d.before().get(send.peer()))
                        || d.receives().get(send.peer()).isEmpty()
                        || d.receives().get(send.peer()).getFirst().capacity() >= send.length()) {
                    return e;
                }
                List<Done> done = new ArrayList<>();
                for (Receive r : d.receives().get(send.peer())) {
                    WcStatus status =
                            done.isEmpty() ? WcStatus.LOC_QP_OP_ERR : WcStatus.WR_FLUSH_ERR;
                    done.add(Done.failed(r.wrId(), status));
                }
                return completed(d, e, Seen.cq(send.peer(), true), done)
                        .withState(send.peer(), QpState.ERR);
            }),

    NO_SQE(
            "a failed send takes UC and UD to SQE",
            End.PARTS,
            (d, e) ->
                    atEachEnd(
                            e,
                            (seen, side) ->
                                    e.states().get(side) == QpState.SQE
                                            ? toErr(d, seen, side)
                                            : seen)),

    LENGTH_OF_AN_ATOMIC(
            "an atomic fetches 8 bytes, whatever is listed",
            End.GOES_ON,
            (d, e) -> {
                Send send = d.send();
                return send == null || !send.kind().isAtomic()
                        ? e
                        : replace(
                                e,
                                Seen.cq(send.side(), false),
                                done ->
                                        done.isGood() && done.wrId() == send.wrId()
                                                ? done.ofBytes(send.length())
                                                : done);
            }),

    BEGUN_WRITE(
            "a WRITE on UC that finds no receive request writes nothing",
            End.PARTS,
            (d, e) -> {
                Send send = d.send();
                return d.type() == QpType.UC
                                && send != null
                                && send.kind() == Kind.WRITE_IMM
                                && send.length() > d.mtu()
                                && has(e.sends(send.side()), WcStatus.SUCCESS)
                                && hears(d.before().get(send.peer()))
                                && d.receives().get(send.peer()).isEmpty()
                        ? e.withMemory(null)
                        : e;
            }),

    ODD_ATOMIC(
            "an atomic to an odd address: `REM_INV_REQ_ERR`",
            End.PARTS,
            (d, e) ->
                    d.send() == null
                                    || !d.send().kind().isAtomic()
                                    || d.send().fault() != Fault.ODD_TARGET
                                    || e.refusal() != null
                            ? e
                            : e.quiet()
                                    .withRefusal("EINVAL of ibv_post_send")
                                    .withStates(d.before())),

    FETCH_ON_UC(
            "an atomic on UC: `postSend` fails",
            End.PARTS,
            (d, e) -> {
                Send send = d.send();
                if (d.type() != QpType.UC
                        || send == null
                        || !send.kind().fetches()
                        || send.entries() > 2
                        || (send.kind().isAtomic() && send.fault() == Fault.ODD_TARGET)) {
                    return e;
                }
                QpState before = d.before().get(send.side());
                Seen taken = e.withRefusal(null);
                if (before == QpState.SQD) {
                    return taken;
                }
                WcStatus status =
                        before == QpState.RTS ? WcStatus.LOC_QP_OP_ERR : WcStatus.WR_FLUSH_ERR;
                List<Done> done = List.of(Done.failed(send.wrId(), status));
                return toErr(
                        d, completed(d, taken, Seen.cq(send.side(), false), done), send.side());
            }),

    NO_RD_ATOMIC(
            "a READ with `max_rd_atomic` 0: `LOC_QP_OP_ERR`",
            End.HANGS,
            (d, e) ->
                    d.type() == QpType.RC
                                    && d.maxRdAtomic() == 0
                                    && (has(e.sends(0), WcStatus.LOC_QP_OP_ERR)
                                            || has(e.sends(1), WcStatus.LOC_QP_OP_ERR))
                                    && fetches(d)
                            ? e.quiet().withStates(d.before())
                            : e),

    ENDLESS_RETRIES(
            "`retry_cnt` 7 retries seven times",
            End.HANGS,
            (d, e) ->
                    d.retries() == 7
                                    && (has(e.sends(0), WcStatus.RETRY_EXC_ERR)
                                            || has(e.sends(1), WcStatus.RETRY_EXC_ERR))
                            ? e.quiet().withStates(d.before())
                            : e);

    /** How a programme goes on. */
    private enum End {
        GOES_ON,

        /** The devices are in different states: it ends. */
        PARTS,

        /** And nothing must happen for a while. */
        HANGS
    }

    /** The beginning of its row in the table. */
    final String row;

    private final End end;

    @SuppressWarnings("ImmutableEnumChecker") // none of them has state
    private final BiFunction<Doing, Seen, Seen> change;

    Deviation(String row, End end, BiFunction<Doing, Seen, Seen> change) {
        this.row = row;
        this.end = end;
        this.change = change;
    }

    /** What rxe0 makes of it. */
    Seen of(Doing doing, Seen expected) {
        return change.apply(doing, expected);
    }

    boolean parts() {
        return end != End.GOES_ON;
    }

    boolean hangs() {
        return end == End.HANGS;
    }

    private static boolean fetches(Doing d) {
        return d.send() != null && d.send().kind().fetches();
    }

    private static boolean hears(QpState state) {
        return state == QpState.RTR || state == QpState.RTS || state == QpState.SQD;
    }

    private static boolean has(List<Done> all, WcStatus status) {
        return all.stream().anyMatch(done -> done.status() == status);
    }

    private static Seen atEachEnd(Seen seen, BiFunction<Seen, Integer, Seen> change) {
        return change.apply(change.apply(seen, 0), 1);
    }

    private static Seen instead(Seen seen, int cq, WcStatus status, WcStatus other) {
        return replace(seen, cq, done -> done.status() == status ? done.with(other) : done);
    }

    /** A message that is too long for the buffer at this side. */
    private static Seen lengthError(Seen seen, int side) {
        Seen receiver =
                instead(seen, Seen.cq(side, true), WcStatus.LOC_LEN_ERR, WcStatus.LOC_QP_OP_ERR);
        return instead(
                receiver, Seen.cq(1 - side, false), WcStatus.REM_INV_REQ_ERR, WcStatus.REM_OP_ERR);
    }

    private static Done withImm(Doing d, Done done) {
        return done.isGood() && d.withImm().contains(done.wrId())
                ? new Done(done.wrId(), done.status(), done.opcode(), done.bytes(), true, 0)
                : done;
    }

    private static Seen replace(Seen seen, int cq, UnaryOperator<Done> change) {
        List<Done> done = seen.completions().get(cq).stream().map(change).toList();
        return done.equals(seen.completions().get(cq))
                ? seen
                : seen.with(cq, done, seen.events().get(cq));
    }

    /** Something completes in a CQ in which nothing did: also its arm fires. */
    private static Seen completed(Doing d, Seen seen, int cq, List<Done> done) {
        boolean fires =
                switch (d.arms().get(cq)) {
                    case NOTHING -> false;
                    case SOLICITED -> has(done, WcStatus.WR_FLUSH_ERR);
                    case ALL -> !done.isEmpty();
                };
        return seen.with(cq, done, fires ? 1 : 0).withMemory(null);
    }

    private static Seen toErr(Doing d, Seen seen, int side) {
        List<Done> flushed =
                d.receives().get(side).stream()
                        .map(r -> Done.failed(r.wrId(), WcStatus.WR_FLUSH_ERR))
                        .toList();
        return completed(d, seen, Seen.cq(side, true), flushed).withState(side, QpState.ERR);
    }
}

package io.loomverbs.blocking;

import io.loomverbs.ClosedException;
import io.loomverbs.QpState;
import io.loomverbs.QueuePair;
import io.loomverbs.VerbsException;
import io.loomverbs.WcStatus;
import io.loomverbs.WorkCompletions;

import org.jspecify.annotations.Nullable;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/** The requests of a send queue that were posted and are not done, by position. */
final class Sent {
    /*
     * The poster of SendSide writes a request and `posted` before it posts. Only the leader of the
     * dispatcher completes requests, in order, and writes `completed`.
     *
     * Doubt
     *
     * It may be unknown which of the requests the device has, or whether it reports all of them.
     * Then the poster makes the queue pair flush them. If some are left nevertheless, the leader
     * asks for a probe, which the poster posts after them.
     */
    private static final VarHandle POSTED;
    private static final VarHandle ACCEPTED;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            POSTED = lookup.findVarHandle(Sent.class, "posted", long.class);
            ACCEPTED = lookup.findVarHandle(Sent.class, "accepted", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Attachment owner;
    private final QueuePair qp;
    private final int index;
    private final int capacity;
    private final AtomicResults results;

    /** A power of two places. The poster's and the leader's, see above. */
    private final @Nullable Request[] requests;

    /**
     * Why it is unknown which of the posted requests the device has. Written by the poster, which
     * may have no stack left for a call.
     */
    volatile @Nullable String doubt;

    /** The leader wants those to end. */
    private volatile boolean probeDue;

    /** Counts what was ever posted, from a start of its own (see WrId). Written by the poster. */
    private volatile long posted;

    /** How many of those the device has taken for sure. Written by the poster. */
    private volatile long accepted;

    /** How many of those are done. Written by the leader. */
    private volatile long completed;

    /** How many threads were woken by completions. Written by the leader; for measurements. */
    private long wakeUps;

    Sent(Attachment owner, QueuePair qp, int index, int capacity, long start) {
        this.owner = owner;
        this.qp = qp;
        this.index = index;
        this.capacity = capacity;
        int places = Math.max(1, capacity);
        this.requests = new Request[Integer.highestOneBit(2 * places - 1)];
        this.results = new AtomicResults(qp.pd(), requests.length);
        this.posted = start;
        this.accepted = start;
        this.completed = start;
    }

    /** How many can be posted at a time. */
    int capacity() {
        return capacity;
    }

    /** The same, rounded up to a power of two. */
    int places() {
        return requests.length;
    }

    void prepareAtomics() {
        if (!results.prepare()) {
            throw owner.refusal();
        }
    }

    /** How many requests were posted and are not done. */
    long outstanding() {
        return posted - completed;
    }

    /** How many more can be posted. */
    int room() {
        return (int) (capacity - outstanding());
    }

    /** Whether the device has taken the request at that position. */
    boolean hasAccepted(long position) {
        return position >= 0 && position < accepted;
    }

    /** How many threads were parked until another one completed their requests. */
    long wakeUps() {
        return wakeUps;
    }

    private int slot(long position) {
        return (int) position & requests.length - 1;
    }

    // What the poster calls:

    /** Where the next request goes. */
    long next() {
        return posted;
    }

    /** The request is about to be posted. It counts once {@link #posted} was called. */
    void place(Request r, long position) {
        r.placeAt(position);
        if (r.op.isAtomic()) {
            results.describe(r, slot(position));
        }
        r.wr.wrId(WrId.send(index, position));
        requests[slot(position)] = r;
    }

    /** The requests placed before that position are posted next. */
    void posted(long to) {
        POSTED.setRelease(this, to); // the device orders it before the completion
    }

    /** The device has taken all before that position. */
    void accepted(long to) {
        ACCEPTED.setRelease(this, to);
    }

    /** The device has taken nothing from that position on. */
    void takeBack(long from) {
        for (long p = posted - 1; p >= from; p--) {
            requests[slot(p)] = null;
        }
        posted = from;
    }

    /** A request that was placed, perhaps, is not posted. */
    void remove(Request r) {
        long position = r.position;
        if (position >= 0) {
            requests[slot(position)] = null;
            r.position = -1;
        }
    }

    /** Whether the queue pair has to flush. */
    boolean isDoubtful() {
        return doubt != null || probeDue;
    }

    void breakUpIfInDoubt() {
        String why = doubt;
        if (why != null && !owner.refuses()) {
            owner.breakUp(why);
        }
        if (probeDue) {
            probeDue = false;
            probe(String.valueOf(why));
        }
    }

    /**
     * Posts the last request once more. It is not executed, since the queue pair is in ERR: it is
     * flushed after all requests that the device has. So all of them have ended then.
     */
    private void probe(String why) {
        Request last = requests[slot(posted - 1)];
        try {
            owner.breakUp(why); // again, if that has failed
            if (last != null && qp.state() == QpState.ERR) {
                qp.postSend(last.wr);
            }
        } catch (ClosedException e) {
            owner.gone(e);
        } catch (VerbsException e) {
            // There is no room until others are flushed: the leader asks again.
        }
    }

    // What the leader calls:

    /** Whether the poster has to look, as what is posted may never be reported. */
    boolean asksForProbe() {
        boolean doubtful = doubt != null && outstanding() > 0;
        if (doubtful) {
            probeDue = true;
        }
        return doubtful;
    }

    /**
     * A completion says that a request, and those before it, are done.
     *
     * @return how many threads that has woken; -1 if it was handled before
     */
    int complete(long wrId, WorkCompletions batch, int i) {
        long position = WrId.position(wrId, completed);
        if (position >= posted) {
            return -1;
        }
        boolean success = batch.isSuccess(i);
        Breakage broken = owner.breakage();
        int woken = 0;
        for (long p = completed; p <= position; p++) {
            Request r = requests[slot(p)];
            if (r != null && r.position == p && !r.isDone()) {
                if (p == position && !success) {
                    WcStatus own = batch.status(i);
                    r.fail(owner.broke(Breakage.of(batch, i, r.toString())), own);
                } else if (broken == null || success) {
                    woken += succeed(r) ? 1 : 0;
                } else {
                    r.fail(broken, WcStatus.WR_FLUSH_ERR);
                }
            }
            requests[slot(p)] = null;
            completed = p + 1;
        }
        wakeUps += woken;
        return woken;
    }

    /** True if that has woken a thread. */
    private boolean succeed(Request r) {
        if (r.op.isAtomic()) {
            r.result = results.get(slot(r.position));
        }
        return r.succeed();
    }

    /** Ends all of them, once the queue pair executes nothing and no thread posts. */
    void abandon(Breakage why) {
        for (long p = completed; p < posted; p++) {
            Request r = requests[slot(p)];
            if (r != null && r.position == p && !r.isDone()) {
                r.fail(why, WcStatus.WR_FLUSH_ERR);
            }
            requests[slot(p)] = null;
            completed = p + 1;
        }
    }

    void close() {
        results.close();
    }
}

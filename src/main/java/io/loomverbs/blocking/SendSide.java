package io.loomverbs.blocking;

import io.loomverbs.ClosedException;
import io.loomverbs.PostException;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.WorkCompletions;

import org.jspecify.annotations.Nullable;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/** The send queue of a queue pair: which thread posts, and what. */
final class SendSide {
    /*
     * Posting
     *
     * A thread that finds no other one posting becomes the poster. Else it adds its request to the
     * backlog and signals: the poster looks once more before it stops, or has just stopped, and
     * then the signal makes the thread the poster.
     *
     *   IDLE    -> POSTING   the caller becomes the poster, and looks
     *   POSTING -> AGAIN     signal; the poster will look once more
     *   IDLE    -> AGAIN     signal; the caller becomes the poster
     *   AGAIN   -> POSTING   the poster is about to look
     *   POSTING -> IDLE      nothing came since the poster began to look
     *
     * A poster that finds the backlog unused posts its own request without it, since nothing that
     * came earlier waits. So requests are posted in the order in which they came, many threads'
     * requests with one call, and no thread waits for another to post. What finds the queue full
     * stays in the backlog; the thread that frees places signals.
     *
     * What is signaled
     *
     * The last request of each chain that is posted, so that no request waits for a completion
     * that does not come, and no other. It also completes those before it. Since that makes them
     * wait for it, a long request is a chain of its own. So is one that the device may refuse, as
     * the program has described it, or the transport lacks the operation: those before it in a
     * chain would be posted unsignaled. No request of a chain is used again before the chain was
     * posted: those before the last succeed with it, and failed ones are not reused.
     *
     * Places
     *
     * The leader of the dispatcher writes that requests are completed (see Sent), then signals if
     * something waits for a place. The poster says that something does (see Backlog), then reads
     * how many are: one of both sees the other.
     */
    private static final int IDLE = 0;
    private static final int POSTING = 1;
    private static final int AGAIN = 2;

    /** Requests that are posted with one call. */
    private static final int CHAIN = 16;

    /** A request of more bytes than this makes no other wait for its completion. */
    private static final int LONG = 4096;

    /** Rounds after which a thread that posts for others lets another thread do it. */
    private static final int PATIENCE = 256;

    private static final VarHandle TURN;

    static {
        try {
            TURN = MethodHandles.lookup().findVarHandle(SendSide.class, "turn", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Attachment owner;
    private final QueuePair qp;
    private final int longestChain;
    private final boolean hasReads;
    private final RequestCache cache;
    private final Sent sent;
    private final Backlog backlog = new Backlog();
    private volatile int turn;

    // Of the poster:
    private final @Nullable Request[] chain = new Request[CHAIN];

    /** How many requests of the chain were taken out of the backlog, and are not posted. */
    private int chosen;

    private int oneByOne;
    private boolean unsignaledTail;

    /**
     * The thread that posted has ended with an Error, and so has another, or it did not start. Set
     * before the turn ends; cleared by the next poster, once the backlog has what was left.
     */
    private volatile boolean left;

    /**
     * A hint how many threads that were woken together have not come back with another request:
     * worth waiting for, to post these with one call. Those of one batch of completions count
     * together: requests that are posted one by one also complete one by one. Written by the leader
     * and by those threads; a lost update costs or saves one yield.
     */
    private int expected;

    /** The batch that has woken them. The leader's. */
    private int expectedOf;

    SendSide(Attachment owner, QueuePair qp, int index, int capacity, long start) {
        this.owner = owner;
        this.qp = qp;
        this.longestChain = qp.config().sqSigAll() ? 1 : CHAIN;
        this.hasReads = qp.type() == QpType.RC;
        this.sent = new Sent(owner, qp, index, capacity, start);
        this.cache = new RequestCache(sent.places());
    }

    int capacity() {
        return sent.capacity();
    }

    /** A request to describe, with room for one entry and no inline data. */
    Request take(Op op) {
        Request r = cache.take();
        if (r == null) {
            r = new Request(this, SendWorkRequest.allocate(1, 0), true);
        }
        r.reset(op);
        r.wr.clear();
        return r;
    }

    /** Nothing refers to the request any more: a later call may use it. */
    void recycle(Request r) {
        if (r.reusable) {
            cache.put(r);
        }
    }

    void prepareAtomics() {
        sent.prepareAtomics();
    }

    /** Gets a request posted, by this thread or another, now or when there is room. */
    void submit(Request r) {
        int others = expected - 1;
        if (others >= 0) {
            expected = others;
        }
        look(r, others);
    }

    /**
     * In one frame: a lack of stack must not come between the claim and its end.
     *
     * @param own the request that the caller wants posted; null if it only signals
     */
    private void look(@Nullable Request own, int others) {
        boolean mine = false;
        boolean ended = false;
        try {
            mine = turn == IDLE && TURN.compareAndSet(this, IDLE, POSTING);
            if (mine && own != null && others <= 0 && chosen == 0 && backlog.isUnused()) {
                chain[0] = own; // from here on, the next poster finds it if this one ends
                chosen = 1;
                postOwn(own);
            } else if (own != null) {
                backlog.add(own);
            }
            if (!mine) {
                mine = (int) TURN.getAndSet(this, AGAIN) == IDLE;
            }
            if (mine) {
                if (others > 0) {
                    Pace.letOthersRun();
                }
                postAll();
            }
            ended = true;
        } finally {
            if (mine && !ended) {
                leave();
            }
        }
        if (mine) {
            stopped(); // not above: once the turn is over, an Error must not end it again
        }
    }

    /** This thread posts no more: a closer may wait for that, and no completion announces it. */
    private void stopped() {
        if (owner.isEnding()) {
            owner.outstandingFell();
        }
    }

    /** A queued request was cancelled. */
    void cancelledOne() {
        if (backlog.cancelledOne()) {
            signal();
        }
    }

    /** Gets the queue looked at, by this thread or the present poster. */
    void signal() {
        look(null, 0);
    }

    /**
     * Whether something waits to be posted, or is being posted. What a poster has left goes from
     * one of the three to the next, and they are read in that order: it is seen in one of them.
     */
    boolean isBusy() {
        return turn != IDLE || left || backlog.isWaiting();
    }

    /** Whether a thread is posting. */
    boolean isPosting() {
        return turn != IDLE;
    }

    /** Whether the device has taken the request at that position. */
    boolean hasAccepted(long position) {
        return sent.hasAccepted(position);
    }

    /** How many threads were parked until another one completed their requests. */
    long wakeUps() {
        return sent.wakeUps();
    }

    /** How many requests were posted and are not done. */
    long outstanding() {
        return sent.outstanding();
    }

    /** On a thread of its own. After another Error it does not try again at once. */
    private void run() {
        boolean ended = false;
        try {
            postAll();
            ended = true;
        } finally {
            if (!ended) {
                leaveIt();
            }
        }
        stopped();
    }

    private void postAll() {
        int rounds = 0;
        do {
            if (turn != POSTING) {
                TURN.setVolatile(this, POSTING); // before the look: a later signal changes it
            }
            while (postSome()) {
                if (++rounds >= PATIENCE && handOn()) {
                    return;
                }
            }
        } while (!TURN.compareAndSet(this, POSTING, IDLE));
    }

    /** Posts the poster's own request, which is in the chain, unless there is more to do first. */
    private void postOwn(Request own) {
        if (!unsignaledTail && !sent.isDoubtful() && sent.room() > 0 && !owner.refuses()) {
            own.commitOwn();
            post(1);
        }
    }

    /** An Error, such as a lack of stack, is this thread's; others' requests go on. */
    private void leave() {
        boolean handedOn = false;
        try {
            handedOn = handOn();
        } finally {
            if (!handedOn) {
                leaveIt();
            }
        }
    }

    /** Leaves the posting to the next thread that submits a request, or to the leader. */
    private void leaveIt() {
        left = true;
        turn = IDLE;
        stopped();
    }

    private boolean handOn() {
        try {
            Thread.ofVirtual()
                    .name("loomverbs-post " + owner)
                    .inheritInheritableThreadLocals(false)
                    .start(this::run);
            return true;
        } catch (RuntimeException | Error noThread) {
            return false;
        }
    }

    /** Posts a chain; false if there is nothing to post, or no room. */
    private boolean postSome() {
        backlog.takeNew();
        putBack();
        if (left) {
            left = false;
        }
        if (unsignaledTail && backlog.isEmpty()) {
            unsignaledTail = false;
            sent.doubt = "a request that was posted unsignaled, and the next was refused";
        }
        sent.breakUpIfInDoubt();
        if (backlog.isEmpty()) {
            return false;
        }
        if (owner.refuses()) {
            refuseAll();
            return backlog.hasNew();
        }
        int room = sent.room();
        backlog.dropCancelledIfMany();
        int n = fillChain(Math.min(oneByOne > 0 ? 1 : longestChain, room));
        if (n > 0) {
            post(n);
            sent.breakUpIfInDoubt();
        }
        backlog.announce();
        return (n > 0 && (!backlog.isEmpty() || unsignaledTail)) || backlog.hasNew();
    }

    /**
     * Puts the requests that an earlier poster chose before its Error at the front of the backlog.
     */
    private void putBack() {
        while (chosen > 0) {
            Request r = chained(chosen - 1);
            sent.remove(r);
            r.wr.next(null);
            if (backlog.first() != r) {
                backlog.addFirst(r);
            }
            chosen--;
        }
    }

    private int fillChain(int most) {
        int n = 0;
        while (n < most) {
            Request r = backlog.first();
            if (r == null) {
                break;
            }
            boolean alone = r.bytes > LONG || mayBeRefused(r);
            if (alone && n > 0) {
                break;
            }
            // It is in one of both at any time: an Error must not lose it.
            chain[n] = r;
            chosen = n + 1;
            backlog.removeFirst();
            if (r.commit()) {
                n++;
                if (alone) {
                    break;
                }
            } else {
                chosen = n;
            }
        }
        return n;
    }

    /** Whether more than a full queue may be in the way of a request. */
    private boolean mayBeRefused(Request r) {
        return r.op == Op.OTHER || (!hasReads && (r.op == Op.READ || r.op.isAtomic()));
    }

    private Request chained(int i) {
        Request r = chain[i];
        if (r == null) {
            throw new AssertionError("the chain ends before " + i);
        }
        return r;
    }

    private void post(int n) {
        owner.posting();
        long from = sent.next();
        for (int i = 0; i < n; i++) {
            Request r = chained(i);
            sent.place(r, from + i);
            if (i > 0) {
                chained(i - 1).wr.next(r.wr);
            }
        }
        chained(n - 1).wr.signaled();
        sent.posted(from + n);
        chosen = 0;
        unsignaledTail = false;
        if (oneByOne > 0) {
            oneByOne--;
        }
        boolean sorted = false;
        try {
            postChain(from, n);
            sorted = true;
        } finally {
            if (!sorted) { // an Error of this thread: it must not strand the requests of others
                sent.doubt = "an Error has met the thread that posted";
            }
        }
        for (int i = 0; i < n; i++) {
            Request r = chained(i);
            chain[i] = null;
            if (r.tellPosted) {
                r.wakeStarter();
            }
        }
    }

    private void postChain(long from, int n) {
        try {
            qp.postSend(chained(0).wr);
            sent.accepted(from + n);
            owner.posted();
        } catch (PostException e) {
            refused(e, from, n);
        } catch (ClosedException e) { // the device executes nothing of it any more
            owner.gone(e);
            takeBack(from, 0, n, n);
            for (int i = 0; i < n; i++) {
                owner.refuse(chained(i));
            }
        } catch (RuntimeException e) { // a request is wrong, and nothing was posted
            takeBack(from, 0, n == 1 ? 1 : 0, n);
            if (n == 1) {
                chained(0).refuse(e);
            } else {
                oneByOne = n;
            }
        }
    }

    private void refused(PostException e, long from, int n) {
        int accepted = e.posted();
        if (accepted == PostException.UNKNOWN) {
            sent.doubt = String.valueOf(e.getMessage());
            return;
        }
        takeBack(from, accepted, accepted + 1, n);
        unsignaledTail = accepted > 0;
        chained(accepted).refuse(e);
    }

    /**
     * Corrects what {@link #post} has written ahead: {@code accepted} requests were posted, and
     * those from {@code again} on go to the front of the backlog.
     */
    private void takeBack(long from, int accepted, int again, int n) {
        sent.takeBack(from + accepted);
        for (int i = n - 1; i >= accepted; i--) {
            Request r = chained(i);
            r.wr.next(null);
            if (i >= again) {
                backlog.addFirst(r);
            }
        }
        if (accepted > 0) {
            chained(accepted - 1).wr.next(null);
        }
    }

    private void refuseAll() {
        for (Request r = backlog.removeFirst(); r != null; r = backlog.removeFirst()) {
            if (r.commit()) {
                owner.refuse(r);
            }
        }
        backlog.announce();
    }

    /**
     * Nothing has come for a while. If requests are posted of which the device may not have all, or
     * may not report all, they have to end; if a thread that ended with an Error has left some,
     * another has to post them. Called by the leader.
     */
    void audit() {
        if (sent.asksForProbe() || left) {
            signal();
        }
    }

    /** A completion says that a request, and those before it, are done. The leader's. */
    void completed(int batchNumber, long wrId, WorkCompletions batch, int i) {
        int woken = sent.complete(wrId, batch, i);
        if (woken < 0) {
            return;
        }
        owner.sends().pace().came(woken);
        expected = batchNumber == expectedOf ? Math.max(0, expected) + woken : woken;
        expectedOf = batchNumber;
        if (backlog.isWaiting()) {
            signal();
        }
    }

    /**
     * Ends what was posted, once the queue pair executes nothing and no completion comes from it.
     * Called by the leader, after the owner has begun to refuse requests: a thread that begins to
     * post after that sees it.
     *
     * @return false if a thread is posting at the moment, which may take requests back: then
     *     nothing has ended yet
     */
    boolean abandon(Breakage why) {
        if (isPosting()) {
            return false;
        }
        sent.abandon(why);
        signal();
        return true;
    }

    void close() {
        sent.close();
    }

    /** Names the owner, for messages. */
    @Override
    public String toString() {
        return owner.toString();
    }
}

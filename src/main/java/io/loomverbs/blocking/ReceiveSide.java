package io.loomverbs.blocking;

import io.loomverbs.ClosedException;
import io.loomverbs.PostException;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.RecvWorkRequest;
import io.loomverbs.VerbsException;
import io.loomverbs.WcOpcode;
import io.loomverbs.WorkCompletions;

import org.jspecify.annotations.Nullable;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/** The ring of receives of a queue pair, and the messages that no thread has taken yet. */
final class ReceiveSide implements Goal {
    /*
     * A buffer is posted, or holds a message that waits in `arrived`, or is lent with a message to
     * the application, which posts it again when it closes the message. So there are never more
     * messages than buffers, and a place of `messages` is free when it is written.
     *
     * The leader of the dispatcher writes a message, then `arrived`; a receiver takes one by
     * compare-and-set of `taken`. The leader wakes as many receivers as messages have come. A
     * receiver that leaves while there are messages wakes the next one: it may have been woken for
     * a message that it did not take.
     *
     * A closer makes the owner end, then waits until nothing is outstanding; a thread that posts a
     * receive adds to `outstanding`, then looks whether the owner ends: one of both sees the other.
     * Until then receives are posted as usual, since the device may refuse the close. It counts
     * there as posting, too, until it knows whether the device has taken the receive. A leader that
     * ends everything sets `ended`, then looks whether a thread posts: again one of both sees the
     * other, and each slot is ended by one of them.
     */
    private static final long ONE = 1;
    private static final long POSTING = 1L << 32;

    private static final int GRH_BYTES = 40;
    private static final VarHandle TAKEN;
    private static final VarHandle OUTSTANDING;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            TAKEN = lookup.findVarHandle(ReceiveSide.class, "taken", long.class);
            OUTSTANDING = lookup.findVarHandle(ReceiveSide.class, "outstanding", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** One buffer of the ring. */
    static final class Slot {
        final Buffer buffer;
        final RecvWorkRequest wr;
        private final int number;
        private int lap;
        int bytes;
        boolean written;
        boolean hasImm;
        int imm;
        int srcQp;

        /** The lap in which it is posted; 0 if it is not. */
        volatile int posted;

        Slot(Buffer buffer, int number, int lap) {
            this.buffer = buffer;
            this.wr = buffer.describe(RecvWorkRequest.allocate(1));
            this.number = number;
            this.lap = lap;
        }
    }

    private final Attachment owner;
    private final QueuePair qp;
    private final int index;
    private final int headerBytes;
    private final Slot[] slots;
    private final WaitList receivers = new WaitList();

    /** A power of two. Written by the leader, before {@link #arrived}. */
    private final @Nullable Slot[] messages;

    /** How many messages have ever come. Written by the leader. */
    private volatile long arrived;

    /** How many were taken. By compare-and-set. */
    private volatile long taken;

    /**
     * Two counts in one number, changed by addition: of receives that are posted or being posted,
     * and of the latter alone.
     */
    private volatile long outstanding;

    /**
     * Whether a receive may be posted although the device has not said so. Only a reset certainly
     * ends it.
     */
    private volatile boolean doubtful;

    /** A receive was flushed or has failed: no message comes after those that are here. */
    private volatile boolean ended;

    ReceiveSide(Attachment owner, QueuePair qp, int index, Buffer[] buffers, long start) {
        this.owner = owner;
        this.qp = qp;
        this.index = index;
        this.headerBytes = qp.type() == QpType.UD ? GRH_BYTES : 0;
        this.slots = new Slot[buffers.length];
        this.messages = new Slot[Integer.highestOneBit(2 * Math.max(1, buffers.length) - 1)];
        for (int i = 0; i < buffers.length; i++) {
            slots[i] = new Slot(buffers[i], i, WrId.firstLap(start));
        }
    }

    int size() {
        return slots.length;
    }

    /**
     * Posts all receives. To be called once, after completions can find this object. If one is
     * refused, the owner must be closed.
     */
    void start() {
        int posted = 0;
        try {
            while (posted < slots.length) {
                post(slots[posted]);
                posted++;
            }
        } finally {
            for (int i = posted + 1; i < slots.length; i++) {
                slots[i].buffer.close(); // post has seen to the one that was refused
            }
        }
    }

    /** Posts a receive again, or gives its buffer back if it is no longer needed. */
    private void post(Slot slot) {
        owner.posting();
        OUTSTANDING.getAndAdd(this, ONE + POSTING);
        boolean needed = false;
        try {
            needed = !owner.isEnding() && !ended;
            if (needed) {
                int lap = WrId.nextLap(slot.lap);
                slot.lap = lap;
                slot.posted = lap;
                qp.postRecv(slot.wr.wrId(WrId.receive(index, slot.number, lap)));
                owner.posted();
            }
        } catch (PostException e) {
            needed = e.posted() == PostException.UNKNOWN;
            if (needed) {
                doubtful = true;
            }
            throw e;
        } catch (RuntimeException e) { // nothing was posted
            needed = false;
            throw e;
        } catch (Error e) { // of this thread, perhaps after the device has taken the receive
            if (needed) {
                doubtful = true;
            }
            throw e;
        } finally {
            try {
                if (!needed) {
                    slot.posted = 0;
                    dropped(slot);
                }
            } finally {
                OUTSTANDING.getAndAdd(this, -POSTING); // a leader waits for it
            }
        }
    }

    /** A receive that is not posted any more. */
    private void dropped(Slot slot) {
        try {
            slot.buffer.close();
        } finally {
            OUTSTANDING.getAndAdd(this, -ONE);
            owner.outstandingFell();
        }
    }

    /** The application has closed a message, and no request uses it. */
    void giveBack(Slot slot) {
        String what = "a receive that was to be posted again";
        try {
            post(slot);
        } catch (ClosedException | VerbsException e) {
            owner.broke(Breakage.of(what, e));
            receivers.wakeAll(); // perhaps nothing is posted any more
        } catch (Error e) {
            owner.broke(Breakage.of(what, e));
            receivers.wakeAll();
            throw e;
        } finally {
            if (doubtful) {
                owner.flush();
            }
        }
    }

    /** How many receives are posted, or being posted. */
    int outstanding() {
        return (int) outstanding;
    }

    /** Whether a thread is posting a receive. */
    boolean isPosting() {
        return outstanding >= POSTING;
    }

    /** Whether a flush may leave receives outstanding that the device has not taken. */
    boolean isDoubtful() {
        return doubtful && outstanding() > 0;
    }

    void completed(long wrId, WorkCompletions batch, int i) {
        int number = WrId.slot(wrId);
        if (number >= slots.length) {
            return; // of earlier requests of the queue pair, which had more
        }
        Slot slot = slots[number];
        if (slot.posted != WrId.lap(wrId)) {
            return; // handled before
        }
        if (!batch.isSuccess(i)) {
            owner.broke(Breakage.of(batch, i, "a receive"));
            ended = true;
            slot.posted = 0;
            dropped(slot);
            receivers.wakeAll();
            return;
        }
        slot.written = batch.opcode(i) == WcOpcode.RECV_RDMA_WITH_IMM;
        slot.bytes = batch.byteLen(i);
        slot.hasImm = batch.hasImm(i);
        slot.imm = slot.hasImm ? batch.immData(i) : 0;
        slot.srcQp = batch.srcQp(i);
        long at = arrived;
        messages[(int) at & messages.length - 1] = slot;
        slot.posted = 0;
        arrived = at + 1;
        OUTSTANDING.getAndAdd(this, -ONE);
        if (!receivers.isEmpty()) {
            receivers.wakeOldest(at + 1 - taken);
        }
    }

    /**
     * Ends what was posted, once the queue pair executes nothing and no completion comes from it.
     * Called by the leader.
     *
     * @return false if a thread is posting at the moment: then nothing has ended yet
     */
    boolean abandon() {
        ended = true;
        if (isPosting()) {
            return false;
        }
        for (Slot slot : slots) {
            if (slot.posted != 0) {
                slot.posted = 0;
                dropped(slot);
            }
        }
        receivers.wakeAll();
        return true;
    }

    /** The next message, or null if there is none now. */
    @Nullable Message poll() {
        for (; ; ) {
            long t = taken;
            if (t >= arrived) {
                return null;
            }
            Slot slot = messages[(int) t & messages.length - 1];
            if (slot != null) {
                // Before it is taken: there may be no memory for it.
                Message message = new Message(this, slot, headerBytes);
                if (TAKEN.compareAndSet(this, t, t + 1)) {
                    return message;
                }
            }
        }
    }

    /** Whether no message will come: threads that wait find out why. */
    boolean isOver() {
        return ended || owner.isEnding() || (owner.breakage() != null && outstanding() == 0);
    }

    void wakeAll() {
        receivers.wakeAll();
    }

    @Override
    public String what() {
        return "a message of " + owner;
    }

    @Override
    public boolean isReached() {
        return taken < arrived || isOver();
    }

    @Override
    public void enlist(Parked w) {
        receivers.add(w.makeTwin());
    }

    @Override
    public void leave(Parked w) {
        if (w.twin != null) {
            receivers.remove(w.twin);
        }
        if (taken < arrived && !receivers.isEmpty()) {
            receivers.wakeOldest(1);
        }
    }

    /** Gives back the buffers of messages that no thread has taken. */
    void discard() {
        for (long t = taken; t < arrived; t = taken) {
            Slot slot = messages[(int) t & messages.length - 1];
            if (TAKEN.compareAndSet(this, t, t + 1) && slot != null) {
                slot.buffer.close();
            }
        }
    }
}

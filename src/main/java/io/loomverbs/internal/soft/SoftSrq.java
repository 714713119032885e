package io.loomverbs.internal.soft;

import io.loomverbs.internal.device.AsyncListener;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.PostResult;
import io.loomverbs.internal.device.RecvWr;
import io.loomverbs.internal.device.SrqAttr;
import io.loomverbs.internal.device.SrqOps;

import org.jspecify.annotations.Nullable;

import java.util.LinkedHashSet;

/**
 * A shared receive queue. Queue pairs take requests from it one at a time, in the order in which
 * their messages come, and use them without its lock.
 *
 * <p>The device checks the limit when a request is used, and when the limit is set. A strict device
 * checks it only when a request is used, as soft-RoCE does.
 */
@SuppressWarnings("serial") // see Mutex
final class SoftSrq extends Mutex implements SrqOps {
    final SoftPd pd;
    final AsyncListener events;
    final RefCount users = new RefCount();
    private final int maxSge;

    // All under the lock.
    private int maxWr;

    /** Raises an event once fewer requests than this are posted; 0 if there is no limit. */
    private int limit;

    private int posted;

    /** Of a strict device: requests that were taken, and whose completions were not polled. */
    private int unpolled;

    private @Nullable RecvSlot first;
    private @Nullable RecvSlot last;

    /** Slots to fill in again. */
    private @Nullable RecvSlot spare;

    /** Peers that found no buffer and must be notified of the next one; null if there were none. */
    private @Nullable LinkedHashSet<SendQueue> starved;

    SoftSrq(SoftPd pd, SrqAttr attr, AsyncListener events) {
        this.pd = pd;
        this.events = events;
        this.maxWr = attr.maxWr();
        this.maxSge = attr.maxSge();
    }

    /** If this throws, such as for lack of memory, nothing of the chain is posted. */
    @Override
    public long postRecv(RecvWr chain) {
        long result;
        boolean wanted;
        lock();
        try {
            result = append(chain);
            wanted = isWanted();
        } finally {
            unlock();
        }
        if (wanted) {
            kickStarved();
        }
        return result;
    }

    private long append(RecvWr chain) {
        int errno = 0;
        int filled = 0;
        RecvSlot oldest = null;
        RecvSlot newest = null;
        for (RecvWr wr = chain; wr != null; wr = wr.next()) {
            errno = refusal(wr, filled);
            if (errno != 0) {
                break;
            }
            RecvSlot slot = filled(wr);
            if (newest == null) {
                oldest = slot;
            } else {
                newest.next = slot;
            }
            newest = slot;
            filled++;
        }
        if (newest != null) {
            if (last == null) {
                first = oldest;
            } else {
                last.next = oldest;
            }
            last = newest;
            posted += filled;
        }
        return errno == 0 ? PostResult.OK : PostResult.failed(errno, filled);
    }

    /** The errno for a request that comes after {@code filled} others; 0 if it is accepted. */
    private int refusal(RecvWr wr, int filled) {
        if (users.retired() || wr.numSge() < 0 || wr.numSge() > Math.min(maxSge, wr.maxSge())) {
            return Errno.EINVAL;
        }
        return posted + unpolled + filled >= maxWr ? Errno.ENOMEM : 0;
    }

    private RecvSlot filled(RecvWr wr) {
        RecvSlot slot = spare == null ? new RecvSlot() : spare;
        slot.fill(wr);
        spare = slot.next;
        slot.next = null;
        return slot;
    }

    /**
     * Takes the oldest request: {@link #used} or {@link #giveBack} must follow. Null if there is
     * none, and then {@code peer} is kicked as soon as there is one.
     */
    @Nullable RecvSlot take(@Nullable SendQueue peer) {
        lock();
        try {
            RecvSlot slot = first;
            if (slot == null) {
                if (peer != null && !pd.device.strict) {
                    starve(peer);
                }
                return null;
            }
            first = slot.next;
            if (first == null) {
                last = null;
            }
            posted--;
            if (pd.device.strict) {
                unpolled++;
            }
            return slot;
        } finally {
            unlock();
        }
    }

    private void starve(SendQueue peer) {
        if (starved == null) {
            starved = new LinkedHashSet<>();
        }
        starved.add(peer);
        peer.starvedAt(this);
    }

    /** A request that was taken is used up: true if that has reached the limit. */
    boolean used(RecvSlot slot) {
        lock();
        try {
            slot.next = spare;
            spare = slot;
            return reachesLimit();
        } finally {
            unlock();
        }
    }

    /** Under the lock: true once for each time that the limit is set. */
    private boolean reachesLimit() {
        if (posted >= limit) {
            return false;
        }
        limit = 0;
        return true;
    }

    /**
     * A request that was taken is not needed, and is the next again: true if {@link #kickStarved}
     * must follow.
     */
    boolean giveBack(RecvSlot slot) {
        lock();
        try {
            slot.next = first;
            first = slot;
            if (last == null) {
                last = slot;
            }
            posted++;
            if (pd.device.strict) {
                unpolled--;
            }
            return isWanted();
        } finally {
            unlock();
        }
    }

    /** Of a strict device: a completion was polled, or dropped with its queue pair. */
    void polled() {
        lock();
        try {
            unpolled--;
        } finally {
            unlock();
        }
    }

    private boolean isWanted() {
        return starved != null && !starved.isEmpty();
    }

    /** Notifies peers that wait for a buffer, as long as there are buffers. Holds no lock. */
    void kickStarved() {
        for (SendQueue peer = nextStarved(); peer != null; peer = nextStarved()) {
            peer.kick();
        }
    }

    private @Nullable SendQueue nextStarved() {
        lock();
        try {
            return first == null || starved == null || starved.isEmpty()
                    ? null
                    : starved.removeFirst();
        } finally {
            unlock();
        }
    }

    /** How many senders must be notified of the next request. */
    int starvedSenders() {
        lock();
        try {
            return starved == null ? 0 : starved.size();
        } finally {
            unlock();
        }
    }

    void forget(SendQueue peer) {
        lock();
        try {
            if (starved != null) {
                starved.remove(peer);
            }
        } finally {
            unlock();
        }
    }

    @Override
    public int modify(SrqAttr wanted, int mask) {
        if (pd.faults.isDeviceLost()) {
            return -Errno.EIO;
        }
        boolean reached = false;
        lock();
        try {
            int newMax = (mask & Ibv.SRQ_MAX_WR) != 0 ? wanted.maxWr() : maxWr;
            int newLimit = (mask & Ibv.SRQ_LIMIT) != 0 ? wanted.srqLimit() : limit;
            if (users.retired()
                    || newMax < Math.max(1, posted + unpolled)
                    || newMax > pd.device.limits.maxQpWr()
                    || newLimit < 0
                    || newLimit > newMax) {
                return -Errno.EINVAL;
            }
            maxWr = newMax;
            limit = newLimit;
            reached = !pd.device.strict && reachesLimit();
        } finally {
            unlock();
        }
        if (reached) {
            events.asyncEvent(Ibv.EVENT_SRQ_LIMIT_REACHED);
        }
        return 0;
    }

    @Override
    public SrqAttr query() {
        pd.faults.checkDevice();
        lock();
        try {
            if (users.retired()) {
                throw SoftContext.invalid("the SRQ was destroyed");
            }
            return new SrqAttr(maxWr, maxSge, limit);
        } finally {
            unlock();
        }
    }

    @Override
    public boolean isDestroyed() {
        return users.retired();
    }

    @Override
    public int destroy() {
        if (!users.retire()) {
            return users.retired() ? -Errno.EINVAL : -Errno.EBUSY;
        }
        lock();
        try {
            first = null;
            last = null;
            spare = null;
            starved = null;
        } finally {
            unlock();
        }
        pd.device.srqs.give();
        pd.users.remove();
        return 0;
    }
}

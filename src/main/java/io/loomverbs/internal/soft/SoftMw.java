package io.loomverbs.internal.soft;

import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.MwOps;

import org.jspecify.annotations.Nullable;

/**
 * A memory window. Its binding is a separate object with a gate: unbinding closes that gate, and
 * waits for copies that are inside. They wait for nothing. Threads that bind and unbind take the
 * lock.
 */
@SuppressWarnings("serial") // see Mutex
final class SoftMw extends Mutex implements MwOps, IdTable.Entry {
    /** Distinguishes the keys of windows from those of regions, whose table ends far below. */
    private static final int MARK = 1 << 30;

    private static final int TAG = 0xff;
    private static final int REMOTE_CHANGES = Ibv.ACCESS_REMOTE_WRITE | Ibv.ACCESS_REMOTE_ATOMIC;
    private static final int ANY_ACCESS =
            REMOTE_CHANGES | Ibv.ACCESS_REMOTE_READ | Ibv.ACCESS_ZERO_BASED;

    private final SoftPd pd;
    private final int type;

    /** The number by which it is found. Written under the lock. */
    private volatile int id;

    /** The key as the program knows it, by which the next bind names the window. */
    private volatile int rkey;

    /** Null while it is not bound. Written under the lock. */
    private volatile @Nullable Bound bound;

    private boolean gone;

    SoftMw(int id, SoftPd pd, int type) {
        this.id = id;
        this.pd = pd;
        this.type = type;
        this.rkey = id | MARK;
    }

    /** Memory that a window opens to the peers of its domain, or of one queue pair. */
    private static final class Bound extends KeyedMemory {
        final int key;
        final SoftMr mr;
        final @Nullable SoftQp qp;

        Bound(int key, SoftBind to, @Nullable SoftQp qp) {
            super(
                    to.mr.memory.asSlice(to.mr.offset(to.addr), to.length),
                    (to.access & Ibv.ACCESS_ZERO_BASED) != 0 ? 0 : to.addr,
                    to.access);
            this.key = key;
            this.mr = to.mr;
            this.qp = qp;
        }

        /** When this returns, no copy is inside, and none will be. */
        void end() {
            gate.destroy(() -> 0, 0);
            mr.boundMore(-1);
        }
    }

    /** The memory that the peer of {@code to} may use by the key of a window. */
    static @Nullable KeyedMemory find(SoftQp to, int key) {
        SoftMw mw = to.device.mws.find(key ^ MARK);
        Bound b = mw == null || mw.pd != to.pd ? null : mw.bound;
        return b != null && b.key == key && (b.qp == null || b.qp == to) ? b : null;
    }

    @Override
    public int id() {
        return id;
    }

    @Override
    public int rkey() {
        return rkey;
    }

    @Override
    public void rkey(int rkey) {
        this.rkey = rkey;
    }

    /**
     * Executes a request about a window, and returns a work completion status. Under the lock of
     * the sender's {@link SendQueue}.
     */
    static int execute(SoftQp qp, SendSlot wr) {
        if (wr.opcode == Ibv.WR_BIND_MW) {
            return bind(qp, wr.bind());
        }
        return invalidate(qp, wr.immData) ? Ibv.WC_SUCCESS : Ibv.WC_LOC_QP_OP_ERR;
    }

    /** As IBA 10.6.7.2 has it. */
    private static int bind(SoftQp qp, SoftBind to) {
        SoftMw mw = to.mw;
        mw.lock();
        try {
            return mw.accepts(qp, to) && mw.rebind(qp, to) ? Ibv.WC_SUCCESS : Ibv.WC_MW_BIND_ERR;
        } finally {
            mw.unlock();
        }
    }

    private boolean accepts(SoftQp qp, SoftBind to) {
        boolean typeAllows =
                type == Ibv.MW_TYPE_1
                        ? (to.access & Ibv.ACCESS_ZERO_BASED) == 0
                        : bound == null && to.length != 0;
        return !gone
                && (id | MARK) == to.oldKey
                && (to.access & ~ANY_ACCESS) == 0
                && typeAllows
                && qp.pd == pd
                && (to.length == 0 || regionAllows(to));
    }

    private boolean regionAllows(SoftBind to) {
        boolean writes = (to.access & REMOTE_CHANGES) != 0;
        int needed = Ibv.ACCESS_MW_BIND | (writes ? Ibv.ACCESS_LOCAL_WRITE : 0);
        return to.mr.pd == pd && to.length > 0 && to.mr.grants(needed, to.addr, to.length);
    }

    /** To memory of a region that stays until the window is unbound; false if it is gone. */
    private boolean rebind(SoftQp qp, SoftBind to) {
        int key = (to.oldKey & ~TAG) | (to.newKey & TAG);
        Bound next = to.length == 0 ? null : new Bound(key, to, type == Ibv.MW_TYPE_2 ? qp : null);
        if (next != null) {
            if (!to.mr.acquire()) {
                return false;
            }
            to.mr.boundMore(1);
            to.mr.release();
        }
        unbind();
        bound = next;
        id = key ^ MARK;
        return true;
    }

    private void unbind() {
        Bound b = bound;
        bound = null;
        if (b != null) {
            b.end();
        }
    }

    /**
     * Invalidates the key of a window of type 2: false if that may not be, or not by this queue
     * pair. One that is not bound stays so. Under the lock of one of its queues.
     */
    static boolean invalidate(SoftQp qp, int key) {
        SoftMw mw = qp.device.mws.find(key ^ MARK);
        if (mw == null || mw.type != Ibv.MW_TYPE_2 || mw.pd != qp.pd) {
            return false;
        }
        mw.lock();
        try {
            Bound b = mw.bound;
            if ((mw.id | MARK) != key || (b != null && b.qp != qp)) {
                return false;
            }
            mw.unbind();
            return true;
        } finally {
            mw.unlock();
        }
    }

    @Override
    public int dealloc() {
        lock();
        try {
            if (gone) {
                return -Errno.EINVAL;
            }
            unbind();
            pd.device.mws.remove(this);
            gone = true; // last: memory may run out before
        } finally {
            unlock();
        }
        pd.users.remove();
        return 0;
    }
}

package io.loomverbs;

import io.loomverbs.internal.device.MrOps;
import io.loomverbs.internal.device.MwOps;

import java.util.List;
import java.util.Locale;

/**
 * A key for peers to a part of a memory region, which can be withdrawn without touching the region
 * ({@code struct ibv_mw}). A window must be bound before it can be used: a region registered with
 * {@link Access#MW_BIND} gives it memory, and its {@link #rkey} changes, so that old keys become
 * invalid. Its {@link MwType} decides how it is bound and invalidated.
 *
 * <p>Safe for use by any number of threads, but a bind names the window by its current key: bind it
 * from one thread at a time, and at most once in a chain of requests.
 *
 * @since 0.1.0
 */
public final class MemoryWindow implements AutoCloseable {
    private static final int TAG = 0xff;

    private final ProtectionDomain pd;
    private final MwType type;
    private final Lifecycle usage;
    private final int id;

    /** Written once, before the window is published. */
    @SuppressWarnings("NullAway.Init")
    private MwOps ops;

    /** The lkey of the region that a bind was last prepared for; 0 if none: for messages. */
    private volatile int region;

    MemoryWindow(ProtectionDomain pd, MwType type) {
        this.pd = pd;
        this.type = type;
        this.usage = new Lifecycle(this, pd.usage());
        this.id = pd.context().nextId();
    }

    MemoryWindow created(MwOps created) {
        this.ops = created;
        return this;
    }

    /**
     * The next key of a window ({@code ibv_inc_rkey}): increments the lowest 8 bits, and leaves the
     * others, which identify the window.
     *
     * @param rkey a key
     * @return the next one
     */
    public static int incRkey(int rkey) {
        return (rkey & ~TAG) | ((rkey + 1) & TAG);
    }

    /**
     * The protection domain that the window was allocated in.
     *
     * @return the protection domain
     */
    public ProtectionDomain pd() {
        return pd;
    }

    /**
     * How the window is bound, and which peers may use it.
     *
     * @return the type that was asked for
     */
    public MwType type() {
        return type;
    }

    /**
     * The key by which peers name the window ({@code rkey}): that of the last bind that was posted.
     * It may be sent to the peer over the queue pair of the bind at once, since requests of one
     * queue pair are done in order; in any other way only after the bind has completed.
     *
     * @return the {@code rkey}
     */
    public int rkey() {
        return ops.rkey();
    }

    /**
     * Restores the window's old key after a posted bind has failed or was flushed. As {@code
     * ibv_bind_mw(3)} says, the key changes with the post, and nothing else undoes that; the next
     * bind names the window by this key.
     *
     * @param rkey the {@link #rkey} before that bind
     * @throws IllegalArgumentException if it is the key of another window
     * @throws ClosedException if the window is closed
     */
    public void restoreRkey(int rkey) {
        usage.ensureOpen();
        checkRkey(rkey);
        ops.rkey(rkey);
    }

    void checkType(MwType needed) {
        if (type != needed) {
            throw new IllegalArgumentException(
                    "mw is "
                            + this
                            + " of "
                            + type
                            + ", which is bound by bindMw of "
                            + (type == MwType.TYPE_1 ? "QueuePair" : "SendWorkRequest"));
        }
    }

    /** It must be this window's, but for the lowest 8 bits. */
    void checkRkey(int rkey) {
        if (((rkey ^ rkey()) & ~TAG) != 0) {
            throw new IllegalArgumentException(
                    String.format(
                            Locale.ROOT,
                            "rkey is 0x%x, but must differ from 0x%x of %s in the lowest 8 bits"
                                    + " only: see MemoryWindow.incRkey",
                            rkey,
                            rkey(),
                            this));
        }
    }

    /**
     * Deallocates the window ({@code ibv_dealloc_mw}), which unbinds it. When this has returned, no
     * peer accesses memory by its key any more. Do it before the queue pair to which a window of
     * type 2 is bound is closed, and before the region is. Closing again does nothing.
     *
     * @throws VerbsException if the device refuses; nothing has changed then
     */
    @Override
    public void close() {
        int rc = usage.close(ops::dealloc, () -> {});
        if (rc != 0) {
            throw VerbsException.refused("ibv_dealloc_mw", rc, this + " was not deallocated");
        }
    }

    Lifecycle usage() {
        return usage;
    }

    MwOps ops() {
        usage.ensureOpen();
        return ops;
    }

    void toBeBoundTo(MrOps mr) {
        region = mr.lkey();
    }

    /** The open windows whose last bind names a region, as a sentence; empty if there are none. */
    static String boundTo(MemoryRegion mr) {
        List<String> windows =
                mr.pd().usage().openUsers().stream()
                        .filter(MemoryWindow.class::isInstance)
                        .map(MemoryWindow.class::cast)
                        .filter(mw -> mw.region == mr.lkey())
                        .map(MemoryWindow::toString)
                        .sorted()
                        .toList();
        return windows.isEmpty()
                ? ""
                : "; a memory window is bound to it: invalidate or close "
                        + String.join(", ", windows)
                        + " first";
    }

    /** The device's name and the window's number. */
    @Override
    public String toString() {
        return pd.context() + "/mw-" + id;
    }
}

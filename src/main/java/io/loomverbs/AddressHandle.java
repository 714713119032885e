package io.loomverbs;

import io.loomverbs.internal.device.AhOps;

/**
 * The destination of UD messages: {@code struct ibv_ah}. Safe for use by any number of threads.
 *
 * @since 0.1.0
 */
public final class AddressHandle implements AutoCloseable {
    private final ProtectionDomain pd;
    private final Lifecycle usage;
    private final int id;

    /** Written once, before the handle is published. */
    @SuppressWarnings("NullAway.Init")
    private AhOps ops;

    AddressHandle(ProtectionDomain pd) {
        this.pd = pd;
        this.usage = new Lifecycle(this, pd.usage());
        this.id = pd.context().nextId();
    }

    AddressHandle created(AhOps created) {
        this.ops = created;
        return this;
    }

    /**
     * The protection domain that the handle was created in.
     *
     * @return the protection domain
     */
    public ProtectionDomain pd() {
        return pd;
    }

    /**
     * Destroys the address handle ({@code ibv_destroy_ah}). Requests that name it must have
     * completed; the outcome of others depends on the device ({@code soft0} ends them in {@link
     * WcStatus#LOC_QP_OP_ERR}). Closing again does nothing.
     *
     * @throws VerbsException if the device refuses; nothing has changed then
     */
    @Override
    public void close() {
        int rc = usage.close(ops::destroy, () -> {});
        if (rc != 0) {
            throw VerbsException.refused("ibv_destroy_ah", rc, this + " was not destroyed");
        }
    }

    Lifecycle usage() {
        return usage;
    }

    AhOps ops() {
        usage.ensureOpen();
        return ops;
    }

    /** The device's name and the handle's number. */
    @Override
    public String toString() {
        return pd.context() + "/ah-" + id;
    }
}

package io.loomverbs.blocking;

import io.loomverbs.ClosedException;

import java.lang.foreign.MemorySegment;
import java.util.Locale;

/**
 * A message that was received. Closing it gives its buffer back to the ring of receives; while the
 * program holds all buffers of the ring, the peer's sends wait.
 *
 * @since 0.1.0
 */
public final class Message implements AutoCloseable {
    private final Loan loan;
    private final Buffer bytes;
    private final boolean written;
    private final int writtenBytes;
    private final boolean hasImm;
    private final int imm;
    private final int srcQp;

    /** A buffer of the ring of receives. */
    static final class OfRing extends Loan {
        private final ReceiveSide from;
        private final ReceiveSide.Slot slot;

        OfRing(ReceiveSide from, ReceiveSide.Slot slot) {
            this.from = from;
            this.slot = slot;
        }

        @Override
        void giveBack() {
            from.giveBack(slot);
        }
    }

    Message(ReceiveSide from, ReceiveSide.Slot slot, int headerBytes) {
        loan = new OfRing(from, slot);
        int length = slot.written ? 0 : slot.bytes - headerBytes;
        Buffer b = slot.buffer;
        bytes = new Buffer(b.region(), b.offset() + headerBytes, length, loan, false);
        written = slot.written;
        writtenBytes = slot.bytes;
        hasImm = slot.hasImm;
        imm = slot.imm;
        srcQp = slot.srcQp;
    }

    /**
     * The message's bytes as a buffer, for example to forward them. It is closed with the message.
     *
     * @return the bytes; none if the message announces a write ({@link #isWrite})
     */
    public Buffer bytes() {
        return bytes;
    }

    /**
     * The message's bytes as memory.
     *
     * @return the bytes; do not use them after the message was closed
     * @throws ClosedException if the message was closed
     */
    public MemorySegment memory() {
        if (loan.isClosed()) {
            throw new ClosedException(this);
        }
        return bytes.memory();
    }

    /**
     * How long the message is; of a write, how many bytes the peer has written.
     *
     * @return bytes
     */
    public int length() {
        return written ? writtenBytes : bytes.length();
    }

    /**
     * Whether the peer has written to memory of this process with an immediate, instead of sending
     * a message.
     *
     * @return true for {@link Requests#writeWithImm}
     */
    public boolean isWrite() {
        return written;
    }

    /**
     * Whether an immediate came with the message.
     *
     * @return true if {@link #imm} is valid
     */
    public boolean hasImm() {
        return hasImm;
    }

    /**
     * The immediate, as the sender gave it.
     *
     * @return the immediate
     * @throws IllegalStateException if none came with the message
     */
    public int imm() {
        if (!hasImm) {
            throw new IllegalStateException("the message came without an immediate: see hasImm");
        }
        return imm;
    }

    /**
     * The number of the queue pair that sent the message; on UD only.
     *
     * @return the number, 24 bits; 0 if the device does not say
     */
    public int srcQp() {
        return srcQp;
    }

    /**
     * Gives the buffer back to the ring of receives, at once or when the last request that uses it
     * is done. Closing again does nothing.
     */
    @Override
    public void close() {
        loan.close();
    }

    /** The length and the immediate. */
    @Override
    public String toString() {
        return (written ? "write of " : "message of ")
                + length()
                + " bytes"
                + (hasImm ? String.format(Locale.ROOT, ", immediate 0x%08x", imm) : "");
    }
}

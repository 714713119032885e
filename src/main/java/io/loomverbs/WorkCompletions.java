package io.loomverbs;

import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.WcExtras;
import io.loomverbs.internal.device.WcStruct;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.Objects;

/**
 * A reusable batch of work completions ({@code struct ibv_wc[]}), filled in by {@link
 * CompletionQueue#poll} and {@link CompletionQueue#await}.
 *
 * <p>Read completions by index, without allocation; {@link #get} makes a copy that can be kept. If
 * the status of a completion is not {@link WcStatus#SUCCESS}, only its {@code wrId}, {@code
 * status}, {@code qpNum} and {@code vendorError} are valid, as {@code ibv_poll_cq(3)} says.
 *
 * <p>A batch is for one thread at a time. It is an ordinary heap object, and keeps the CQ that it
 * was filled from reachable.
 *
 * @since 0.1.0
 */
public final class WorkCompletions {
    private static final int MAX_CAPACITY = 1 << 20;

    private final MemorySegment memory;
    private final int capacity;
    private int size;

    /** The CQ whose completions it holds; null if there were none, or they are of a group. */
    private @Nullable CompletionQueue cq;

    /** The further fields of completions of extended CQs; null until there are any. */
    private long @Nullable [] extras;

    /** The batch that this is a part of, which knows the CQ of each completion. */
    private @Nullable GroupCompletions group;

    private WorkCompletions(int capacity, MemorySegment memory) {
        this.capacity = capacity;
        this.memory = memory;
    }

    /** A batch in memory that it shares with others, none of which is freed before all are. */
    static WorkCompletions in(MemorySegment memory) {
        return new WorkCompletions((int) (memory.byteSize() / WcStruct.BYTES), memory);
    }

    /**
     * Makes an empty batch.
     *
     * @param capacity the most completions that it takes, 1 to 1048576
     * @return the batch
     * @throws IllegalArgumentException if the capacity is out of range
     */
    public static WorkCompletions allocate(int capacity) {
        Arguments.inRange("capacity", capacity, 1, MAX_CAPACITY, "the size of a batch");
        return new WorkCompletions(
                capacity,
                MemorySegment.ofArray(new long[capacity * (WcStruct.BYTES / Long.BYTES)]));
    }

    MemorySegment memory() {
        return memory;
    }

    /** Room for {@link WcExtras} of each completion. */
    long[] extras() {
        long[] room = extras;
        if (room == null) {
            room = new long[capacity * WcExtras.LONGS];
            extras = room;
        }
        return room;
    }

    void size(int size) {
        this.size = size;
    }

    /** Sets how many completions it holds, and their CQ. */
    void filled(int size, CompletionQueue cq) {
        this.size = size;
        this.cq = cq;
    }

    void partOf(GroupCompletions group) {
        this.group = group;
    }

    /**
     * The most completions that the batch takes.
     *
     * @return at least 1
     */
    public int capacity() {
        return capacity;
    }

    /**
     * How many completions the batch holds.
     *
     * @return 0 to {@link #capacity()}
     */
    public int size() {
        return size;
    }

    /**
     * Whether the batch holds no completions.
     *
     * @return true if {@link #size()} is 0
     */
    public boolean isEmpty() {
        return size == 0;
    }

    private long at(int index) {
        return (long) Objects.checkIndex(index, size) * WcStruct.BYTES;
    }

    /**
     * The number that the work request was given ({@code wr_id}).
     *
     * @param index 0 to {@code size() - 1}, here and in all methods below
     * @return the number
     * @throws IndexOutOfBoundsException if there is no such completion, here and in all methods
     *     below
     */
    public long wrId(int index) {
        return WcStruct.wrId(memory, at(index));
    }

    /**
     * How the work request ended.
     *
     * @param index which completion
     * @return the status
     */
    public WcStatus status(int index) {
        return WcStatus.of(WcStruct.status(memory, at(index)));
    }

    /**
     * How the work request ended, as a number of {@code enum ibv_wc_status}.
     *
     * @param index which completion
     * @return the number, also of a status that is {@link WcStatus#OTHER}
     */
    public int statusNumber(int index) {
        return WcStruct.status(memory, at(index));
    }

    /**
     * Whether the work request was done.
     *
     * @param index which completion
     * @return true if the status is {@link WcStatus#SUCCESS}
     */
    public boolean isSuccess(int index) {
        return WcStruct.status(memory, at(index)) == Ibv.WC_SUCCESS;
    }

    /**
     * What kind of work request it was.
     *
     * @param index which completion
     * @return the kind
     */
    public WcOpcode opcode(int index) {
        return WcOpcode.of(WcStruct.opcode(memory, at(index)));
    }

    /**
     * What kind of work request it was, as a number of {@code enum ibv_wc_opcode}.
     *
     * @param index which completion
     * @return the number, also of a kind that is {@link WcOpcode#OTHER}
     */
    public int opcodeNumber(int index) {
        return WcStruct.opcode(memory, at(index));
    }

    /**
     * The device's own number for an error ({@code vendor_err}).
     *
     * @param index which completion
     * @return 0 if there is none
     */
    public int vendorError(int index) {
        return WcStruct.vendorErr(memory, at(index));
    }

    /**
     * How many bytes were received, or read by a READ or an atomic ({@code byte_len}); devices do
     * not set it for a SEND or WRITE of this side. On a UD queue pair this includes the 40 bytes of
     * the routing header.
     *
     * @param index which completion
     * @return bytes, unsigned
     */
    public int byteLen(int index) {
        return WcStruct.byteLen(memory, at(index));
    }

    /**
     * Whether an immediate came with the message ({@code IBV_WC_WITH_IMM}).
     *
     * @param index which completion
     * @return true if {@link #immData} is valid
     */
    public boolean hasImm(int index) {
        return (WcStruct.wcFlags(memory, at(index)) & Ibv.WC_WITH_IMM) != 0;
    }

    /**
     * The immediate, as the sender gave it ({@code imm_data}; converted from network byte order).
     *
     * @param index which completion
     * @return the immediate, if {@link #hasImm}
     */
    public int immData(int index) {
        return networkOrder(WcStruct.immData(memory, at(index)));
    }

    /**
     * Whether the message has invalidated a key of this side ({@code IBV_WC_WITH_INV}).
     *
     * @param index which completion
     * @return true if {@link #invalidatedRkey} is valid
     */
    public boolean hasInvalidatedRkey(int index) {
        return (WcStruct.wcFlags(memory, at(index)) & Ibv.WC_WITH_INV) != 0;
    }

    /**
     * The key that the sender has invalidated ({@code invalidated_rkey}): no peer accesses memory
     * by it any more. Check that it is the expected one, as the sender chooses it.
     *
     * @param index which completion
     * @return the key, if {@link #hasInvalidatedRkey}
     */
    public int invalidatedRkey(int index) {
        return WcStruct.immData(memory, at(index));
    }

    /**
     * The number of the local queue pair ({@code qp_num}).
     *
     * @param index which completion
     * @return the number, 24 bits
     */
    public int qpNum(int index) {
        return WcStruct.qpNum(memory, at(index));
    }

    /**
     * The local queue pair: that with the number {@link #qpNum}, in the context of the CQ. Found in
     * a table, in some nanoseconds, without allocation; its {@link QueuePair#qpContext} is what it
     * was created with. So one handler can serve the CQ of many queue pairs without a map.
     *
     * <p>A device can give the number of a closed queue pair to a new one. Completions that a
     * closed one has left in the CQ can then seem to be of the new one.
     *
     * @param index which completion
     * @return the queue pair, or null if it is closed
     */
    public @Nullable QueuePair qp(int index) {
        int number = qpNum(index);
        CompletionQueue from = from(index);
        return from == null ? null : from.context().qps().find(number);
    }

    /**
     * The number of the queue pair that sent a UD message ({@code src_qp}).
     *
     * @param index which completion
     * @return the number, 24 bits
     */
    public int srcQp(int index) {
        return WcStruct.srcQp(memory, at(index));
    }

    /**
     * Whether the first 40 bytes of a UD receive buffer hold a routing header ({@code IBV_WC_GRH}).
     *
     * @param index which completion
     * @return true if they do; the bytes are reserved in any case
     */
    public boolean hasGrh(int index) {
        return (WcStruct.wcFlags(memory, at(index)) & Ibv.WC_GRH) != 0;
    }

    /**
     * The local identifier of the port that sent a UD message ({@code slid}; on InfiniBand).
     *
     * @param index which completion
     * @return 16 bits
     */
    public int slid(int index) {
        return WcStruct.slid(memory, at(index));
    }

    /**
     * The service level of a UD message ({@code sl}; on InfiniBand).
     *
     * @param index which completion
     * @return 0 to 15
     */
    public int sl(int index) {
        return WcStruct.sl(memory, at(index));
    }

    /**
     * Which of the port's local identifiers a UD message was sent to ({@code dlid_path_bits}; on
     * InfiniBand, unless it was a multicast).
     *
     * @param index which completion
     * @return the low bits of that identifier, 0 to 127
     */
    public int dlidPathBits(int index) {
        return WcStruct.dlidPathBits(memory, at(index));
    }

    /**
     * Which partition key a message came with ({@code pkey_index}). In verbs it is valid only on
     * the queue pairs of the fabric's management (GSI), which loomverbs does not create.
     *
     * @param index which completion
     * @return an index into the port's table, if the device reports it
     */
    public int pkeyIndex(int index) {
        return WcStruct.pkeyIndex(memory, at(index));
    }

    /**
     * When the work was done, by the device's clock ({@code completion_ts}). {@link
     * ExtendedDeviceAttributes#nanos} converts the difference of two of them to nanoseconds; {@link
     * Context#rawClock} is the clock now. Allocates nothing, like the following methods.
     *
     * @param index which completion
     * @return ticks; 0 if the work has failed
     * @throws IllegalStateException if the CQ was not created with {@link
     *     WcField#COMPLETION_TIMESTAMP}
     */
    public long timestamp(int index) {
        return extra(index, WcField.COMPLETION_TIMESTAMP, WcExtras.TIMESTAMP);
    }

    /**
     * When the work was done, by the time of day ({@code completion_wallclock_ns}).
     *
     * @param index which completion
     * @return nanoseconds since the beginning of 1970 (UTC); 0 if the work has failed
     * @throws IllegalStateException if the CQ was not created with {@link
     *     WcField#COMPLETION_TIMESTAMP_WALLCLOCK}
     */
    public long wallclockNanos(int index) {
        return extra(index, WcField.COMPLETION_TIMESTAMP_WALLCLOCK, WcExtras.WALLCLOCK);
    }

    /**
     * The tag of the VLAN that a packet came from ({@code cvlan}).
     *
     * @param index which completion
     * @return 16 bits; 0 if the work has failed
     * @throws IllegalStateException if the CQ was not created with {@link WcField#CVLAN}
     */
    public int cvlan(int index) {
        return cvlanOf(extra(index, WcField.CVLAN, WcExtras.TAGS));
    }

    /**
     * The tag that a flow rule gave a packet ({@code flow_tag}).
     *
     * @param index which completion
     * @return the tag; 0 if the work has failed
     * @throws IllegalStateException if the CQ was not created with {@link WcField#FLOW_TAG}
     */
    public int flowTag(int index) {
        return (int) extra(index, WcField.FLOW_TAG, WcExtras.TAGS);
    }

    private static int cvlanOf(long tags) {
        return (int) (tags >>> Integer.SIZE);
    }

    private long extra(int index, WcField field, int which) {
        Objects.checkIndex(index, size);
        CompletionQueue of = from(index);
        if (of == null || !of.has(field)) {
            throw new IllegalStateException(
                    of + " was created without " + field + ": ask for it with CqConfig.withFields");
        }
        return extras()[index * WcExtras.LONGS + which];
    }

    private long extraOrZero(int index, WcField field, int which) {
        CompletionQueue of = from(index);
        return of == null || !of.has(field) ? 0 : extra(index, field, which);
    }

    /** The CQ that a completion was polled from. */
    private @Nullable CompletionQueue from(int index) {
        GroupCompletions of = group;
        return of == null ? cq : of.cq(index);
    }

    /**
     * Copies one completion. A field of {@link WcField} that its CQ does not have is 0 in the copy.
     *
     * @param index which completion
     * @return a copy that does not change when the batch is used again
     */
    public WorkCompletion get(int index) {
        return new WorkCompletion(
                wrId(index),
                status(index),
                opcode(index),
                vendorError(index),
                byteLen(index),
                hasImm(index),
                immData(index),
                qpNum(index),
                srcQp(index),
                hasGrh(index),
                slid(index),
                sl(index),
                dlidPathBits(index),
                pkeyIndex(index),
                statusNumber(index),
                opcodeNumber(index),
                hasInvalidatedRkey(index),
                invalidatedRkey(index),
                extraOrZero(index, WcField.COMPLETION_TIMESTAMP, WcExtras.TIMESTAMP),
                extraOrZero(index, WcField.COMPLETION_TIMESTAMP_WALLCLOCK, WcExtras.WALLCLOCK),
                cvlanOf(extraOrZero(index, WcField.CVLAN, WcExtras.TAGS)),
                (int) extraOrZero(index, WcField.FLOW_TAG, WcExtras.TAGS));
    }

    static int networkOrder(int value) {
        return ByteOrder.nativeOrder() == ByteOrder.BIG_ENDIAN
                ? value
                : Integer.reverseBytes(value);
    }

    /** The completions of the batch. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("[");
        for (int i = 0; i < size; i++) {
            text.append(i == 0 ? "" : ", ").append(get(i));
        }
        return text.append(']').toString();
    }
}

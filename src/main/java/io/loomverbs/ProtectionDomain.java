package io.loomverbs;

import io.loomverbs.internal.device.AhOps;
import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.MrOps;
import io.loomverbs.internal.device.MwOps;
import io.loomverbs.internal.device.PdOps;
import io.loomverbs.internal.device.QpOps;
import io.loomverbs.internal.jfr.RecordedRegistration;
import io.loomverbs.internal.jfr.Recorder;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/**
 * A protection domain: {@code struct ibv_pd}. Memory regions, queue pairs, shared receive queues
 * and address handles belong to one domain, and work together only within it.
 *
 * <p>Safe for use by any number of threads.
 *
 * @since 0.1.0
 */
public final class ProtectionDomain implements AutoCloseable {
    private final Context context;
    private final Lifecycle usage;
    private final int id;

    /** Written once, before the domain is published. */
    @SuppressWarnings("NullAway.Init")
    private PdOps ops;

    ProtectionDomain(Context context) {
        this.context = context;
        this.usage = new Lifecycle(this, context.usage());
        this.id = context.nextId();
    }

    ProtectionDomain created(PdOps created) {
        this.ops = created;
        return this;
    }

    /**
     * The context that the protection domain was allocated in.
     *
     * @return the context
     */
    public Context context() {
        return context;
    }

    /**
     * Registers memory, so that work requests can name it ({@code ibv_reg_mr}). The memory must
     * stay alive until the region is closed. If its arena is closed earlier, work requests that
     * access it fail on {@code soft0}, but a real device keeps using the pinned pages.
     *
     * @param memory native memory, of a shared, automatic or global arena: devices access it from
     *     their own threads
     * @param access what is allowed, besides reading it locally
     * @return the region
     * @throws IllegalArgumentException if the memory is on the heap, confined to a thread, freed,
     *     of a closed region, empty, read-only though {@code access} lets it be written to, or
     *     larger than the device allows; or if remote writes or atomics are allowed without {@link
     *     Access#LOCAL_WRITE}
     * @throws ClosedException if the protection domain is closed
     * @throws VerbsException if the device refuses: {@code ENOMEM} when it has too many regions, or
     *     more memory would be pinned than {@code RLIMIT_MEMLOCK} allows; {@code EFAULT} if a part
     *     of the memory is not mapped; {@code EINVAL} or {@code EOPNOTSUPP} for an access that it
     *     does not offer
     */
    public MemoryRegion regMr(MemorySegment memory, Access... access) {
        int flags = Access.flags(access);
        MrArguments.check(memory, flags, context);
        AllocatedMemory allocated = AllocatedMemory.holding(memory);
        if (allocated == null) { // it may have been forgotten, after its arena was closed
            MrArguments.checkAlive(memory);
        }
        return register(memory, flags, allocated);
    }

    /**
     * Registers the memory of a direct buffer from its position to its limit: {@link
     * #regMr(MemorySegment, Access...)} of {@link MemorySegment#ofBuffer}. The region keeps the
     * buffer reachable. The buffer's position and limit can change afterwards; the region does not.
     *
     * @param memory a direct buffer
     * @param access what is allowed, besides reading it locally
     * @return the region
     * @throws IllegalArgumentException if the buffer is on the heap, empty, read-only though {@code
     *     access} lets it be written to, or larger than the device allows; if its memory is
     *     confined to a thread or freed; or if remote writes or atomics are allowed without {@link
     *     Access#LOCAL_WRITE}
     * @throws ClosedException if the protection domain is closed
     * @throws VerbsException if the device refuses: see {@link #regMr(MemorySegment, Access...)}
     */
    public MemoryRegion regMr(ByteBuffer memory, Access... access) {
        Arguments.notNull(memory, "memory");
        return regMr(MemorySegment.ofBuffer(memory), access);
    }

    private MemoryRegion register(
            MemorySegment memory, int flags, @Nullable AllocatedMemory allocated) {
        MemoryRegion mr = null;
        RecordedRegistration registration = Recorder.beginRegistration();
        try {
            mr =
                    Lifecycle.create(
                            "ibv_reg_mr",
                            () -> {
                                MemoryRegion region = new MemoryRegion(this);
                                MemoryRegion.Registration how =
                                        new MemoryRegion.Registration(
                                                this, memory, memory.byteSize(), flags, allocated);
                                return region.created(how, registered(memory, flags));
                            },
                            usage);
            return mr;
        } finally {
            if (registration != null) {
                registration.ended(this, memory.byteSize(), mr != null);
            }
            if (mr == null && allocated != null) {
                allocated.release();
            }
        }
    }

    private MrOps registered(MemorySegment memory, int flags) {
        try {
            return ops.regMr(memory, flags);
        } catch (DeviceException e) {
            boolean refused = e.errno() == Errno.EINVAL || e.errno() == Errno.EOPNOTSUPP;
            if (refused && (flags & Ibv.ACCESS_ON_DEMAND) != 0) {
                throw new DeviceException(
                        e.errno(),
                        e.getMessage() + "; on-demand paging is not supported by " + context);
            }
            throw e;
        }
    }

    /**
     * Registers memory of another device, such as a GPU, that its driver has exported as a dma-buf
     * ({@code ibv_reg_dmabuf_mr}). The program cannot access it through the region: {@link
     * MemoryRegion#memory} has no bytes, and {@link MemoryRegion#address} is {@code iova}. Work
     * requests name parts of it as of any region.
     *
     * <p>The device keeps the dma-buf open: the program may close its descriptor once this has
     * returned.
     *
     * @param fd the file descriptor of the dma-buf, as that driver returned it
     * @param offset where the region begins in the dma-buf
     * @param length how long it is, at least 1
     * @param iova the address by which work requests name its first byte: any, but at the same
     *     place within a page as {@code offset}
     * @param access what is allowed, besides reading it locally: {@link Access#LOCAL_WRITE}, {@link
     *     Access#REMOTE_WRITE}, {@link Access#REMOTE_READ}, {@link Access#REMOTE_ATOMIC}, {@link
     *     Access#RELAXED_ORDERING}
     * @return the region
     * @throws IllegalArgumentException if {@code fd} or {@code offset} is negative, {@code length}
     *     is less than 1 or more than the device allows, {@code iova} and {@code offset} differ
     *     within a page; or if remote writes or atomics are allowed without {@link
     *     Access#LOCAL_WRITE}
     * @throws ClosedException if the protection domain is closed
     * @throws VerbsException if the device refuses: {@code EOPNOTSUPP} if it cannot do it, like
     *     soft-RoCE and {@code soft0}; {@code EBADF} if there is no such descriptor; {@code EINVAL}
     *     if it is not that of a dma-buf, or the dma-buf is shorter
     */
    public MemoryRegion regDmabufMr(int fd, long offset, long length, long iova, Access... access) {
        int flags = Access.flags(access);
        MrArguments.checkDmabuf(fd, offset, length, iova, flags, context);
        return Lifecycle.create(
                "ibv_reg_dmabuf_mr",
                () -> {
                    MemoryRegion region = new MemoryRegion(this);
                    MemoryRegion.Registration how =
                            new MemoryRegion.Registration(
                                    this, MemorySegment.ofAddress(iova), length, flags, null);
                    return region.created(how, ofDmabuf(offset, length, iova, fd, flags));
                },
                usage);
    }

    private MrOps ofDmabuf(long offset, long length, long iova, int fd, int flags) {
        try {
            return ops.regDmabufMr(offset, length, iova, fd, flags);
        } catch (DeviceException e) {
            if (e.errno() == Errno.EOPNOTSUPP) {
                throw new DeviceException(
                        e.errno(), e.getMessage() + "; dma-bufs are not supported by " + context);
            }
            throw e;
        }
    }

    /**
     * Allocates zeroed memory and registers it. {@link MemoryRegion#close} returns the memory to
     * the system. A region that is not closed keeps it, whether or not the program can reach the
     * region.
     *
     * @param bytes how much, at least 1
     * @param access what is allowed, besides reading it locally
     * @return the region
     * @throws IllegalArgumentException if {@code bytes} is less than 1 or more than the device
     *     allows; or if remote writes or atomics are allowed without {@link Access#LOCAL_WRITE}
     * @throws ClosedException if the protection domain is closed
     * @throws VerbsException if the device refuses: {@code ENOMEM} when it has too many regions, or
     *     more memory would be pinned than {@code RLIMIT_MEMLOCK} allows; {@code EINVAL} for an
     *     access that it does not offer. Or {@code ENOMEM} because more would be in use than {@link
     *     Verbs#maxAllocatedMemory} or the system allows; the message names the limit
     */
    public MemoryRegion allocateMr(long bytes, Access... access) {
        int flags = Access.flags(access);
        MrArguments.checkSize("bytes", bytes, context);
        MrArguments.checkAccess(flags);
        usage.ensureOpen();
        AllocatedMemory allocated;
        try {
            allocated = AllocatedMemory.allocate(bytes);
        } catch (DeviceException e) {
            throw VerbsException.of("ibv_reg_mr", e);
        }
        return register(allocated.segment(), flags, allocated);
    }

    /**
     * Allocates a memory window, which is not bound ({@code ibv_alloc_mw}).
     *
     * @param type how it is bound, and which peers may use it
     * @return the window
     * @throws ClosedException if the protection domain is closed
     * @throws VerbsException if the device refuses: {@code EOPNOTSUPP}, {@code ENOSYS} or {@code
     *     EINVAL} if it has none of that type, {@code ENOMEM} when it has too many
     */
    public MemoryWindow allocMw(MwType type) {
        Arguments.notNull(type, "type");
        return Lifecycle.create(
                "ibv_alloc_mw", () -> new MemoryWindow(this, type).created(allocated(type)), usage);
    }

    private MwOps allocated(MwType type) {
        try {
            return ops.allocMw(type.value());
        } catch (DeviceException e) {
            if (e.errno() == Errno.ENOMEM) {
                throw e;
            }
            throw new DeviceException(
                    e.errno(),
                    e.getMessage()
                            + "; memory windows of "
                            + type
                            + " are not supported by "
                            + context);
        }
    }

    /**
     * Creates a queue pair ({@code ibv_create_qp}), in state RESET.
     *
     * @param config its type, CQs and capacities
     * @return the queue pair
     * @throws IllegalArgumentException if a CQ or the shared receive queue is of another context,
     *     or a capacity is over the device's limit
     * @throws ClosedException if the protection domain, a CQ or the shared receive queue is closed
     * @throws VerbsException if the device refuses: {@code ENOMEM} when it has too many queue
     *     pairs; {@code EINVAL} if it cannot combine these capacities; {@code EOPNOTSUPP} if it
     *     does not offer the type
     */
    public QueuePair createQp(QpConfig config) {
        Arguments.notNull(config, "config");
        config.check(context);
        CompletionQueue sendCq = config.sendCq();
        CompletionQueue recvCq = config.recvCq();
        SharedReceiveQueue srq = config.srq();
        return Lifecycle.create(
                "ibv_create_qp",
                () -> {
                    QueuePair qp = new QueuePair(this, config);
                    QpNumbers.Entry<QueuePair> entry = context.qps().prepare(qp);
                    QpOps created =
                            ops.createQp(
                                    config.init(),
                                    sendCq.ops(),
                                    recvCq.ops(),
                                    srq == null ? null : srq.ops(),
                                    qp.listener());
                    qp.created(created);
                    boolean added = false;
                    try {
                        context.qps().add(created.qpNum(), entry);
                        added = true;
                    } finally {
                        if (!added) {
                            created.destroy(); // an Error, such as a lack of stack
                        }
                    }
                    return qp;
                },
                QueuePair.used(this, config));
    }

    /**
     * Creates a shared receive queue ({@code ibv_create_srq}).
     *
     * @param attributes its capacities, without a limit
     * @return the queue, empty
     * @throws IllegalArgumentException if a capacity is over the device's limit, or {@code
     *     srqLimit} is not 0: see {@link SharedReceiveQueue#armLimit}
     * @throws ClosedException if the protection domain is closed
     * @throws VerbsException if the device refuses: {@code ENOMEM} when it has too many; {@code
     *     EOPNOTSUPP} if it has none
     */
    public SharedReceiveQueue createSrq(SrqAttributes attributes) {
        Arguments.notNull(attributes, "attributes");
        attributes.check(context);
        SharedReceiveQueue queue =
                Lifecycle.create(
                        "ibv_create_srq",
                        () -> {
                            SharedReceiveQueue srq = new SharedReceiveQueue(this);
                            srq.created(ops.createSrq(attributes.attr(), srq.listener()));
                            return srq;
                        },
                        usage);
        return queue;
    }

    /**
     * Creates an address handle, the destination of UD messages ({@code ibv_create_ah}).
     *
     * @param attributes the address
     * @return the address handle
     * @throws IllegalArgumentException if the port or the index of the source GID does not exist
     * @throws ClosedException if the protection domain is closed
     * @throws VerbsException if the device refuses: {@code ENOMEM} when it has too many; {@code
     *     EINVAL} if it needs a GID and there is none; on Ethernet (RoCE), which may query the
     *     network and take up to a second, {@code ETIMEDOUT}, {@code ENETUNREACH} or {@code
     *     EHOSTUNREACH} if the address cannot be resolved
     */
    public AddressHandle createAh(AhAttributes attributes) {
        Arguments.notNull(attributes, "attributes");
        usage.ensureOpen();
        AhAttributes address = attributes.fitting(context);
        String problem = Ranges.problem(context, address);
        if (problem != null) {
            throw new IllegalArgumentException(problem);
        }
        problem = Ranges.unreachable(context, address);
        if (problem != null) {
            throw new VerbsException("ibv_create_ah", Errno.EINVAL, problem);
        }
        return Lifecycle.create(
                "ibv_create_ah", () -> new AddressHandle(this).created(createdAh(address)), usage);
    }

    /**
     * Creates an address handle for a reply to a received datagram ({@code ibv_create_ah_from_wc}).
     * Send to the queue pair number {@link WorkCompletions#srcQp}, with the qkey of that queue
     * pair.
     *
     * @param batch where the completion of the receive is
     * @param index which completion
     * @param header the first 40 bytes of the receive buffer, or all of it: the routing header
     * @param port the port of the queue pair that received the datagram
     * @return the address handle
     * @throws IndexOutOfBoundsException if there is no such completion
     * @throws IllegalArgumentException if the completion is not that of a successful receive, the
     *     header is shorter than 40 bytes or no routing header, it names a multicast address or
     *     none of the port, or there is no such port
     * @throws ClosedException if the protection domain is closed
     * @throws VerbsException as {@link #createAh}
     */
    public AddressHandle createAhFromWc(
            WorkCompletions batch, int index, MemorySegment header, int port) {
        Arguments.notNull(batch, "batch");
        Arguments.notNull(header, "header");
        usage.ensureOpen();
        if (!batch.isSuccess(index) || batch.opcode(index) != WcOpcode.RECV) {
            throw new IllegalArgumentException(
                    "completion " + index + " is not of a datagram that arrived: " + batch);
        }
        Arguments.inRange(
                "header.byteSize()",
                header.byteSize(),
                ReplyAddress.HEADER_BYTES,
                Long.MAX_VALUE,
                "the size of a routing header");
        context.checkPort("port", port);
        return createAh(ReplyAddress.of(context, port, batch, index, header));
    }

    private AhOps createdAh(AhAttributes address) {
        try {
            return ops.createAh(address.attr());
        } catch (DeviceException e) {
            String suspicion = Diagnosis.end(() -> Ranges.suspicion(context, address));
            throw new DeviceException(e.errno(), e.getMessage() + suspicion);
        }
    }

    /**
     * Deallocates the protection domain ({@code ibv_dealloc_pd}). Closing again does nothing.
     *
     * @throws VerbsException {@code EBUSY} while memory regions, memory windows, queue pairs,
     *     shared receive queues or address handles of it are open; nothing has changed then
     */
    @Override
    public void close() {
        int rc = usage.close(ops::dealloc, () -> {});
        if (rc == Lifecycle.IN_USE) {
            throw BusyMessage.refusal("ibv_dealloc_pd", this, usage);
        }
        if (rc != 0) {
            throw VerbsException.refused("ibv_dealloc_pd", rc, this + " was not deallocated");
        }
    }

    Lifecycle usage() {
        return usage;
    }

    PdOps ops() {
        return ops;
    }

    /** The device's name and the protection domain's number. */
    @Override
    public String toString() {
        return context + "/pd-" + id;
    }
}

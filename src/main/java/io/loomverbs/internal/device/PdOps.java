package io.loomverbs.internal.device;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.MemorySegment;

/** A protection domain: {@code struct ibv_pd}. Failures to create are {@link DeviceException}s. */
public interface PdOps {
    /** {@code ibv_reg_mr}; {@code memory} is native, alive and shared between threads. */
    default MrOps regMr(MemorySegment memory, int access) {
        throw DeviceException.unsupported("ibv_reg_mr");
    }

    /** {@code ibv_alloc_mw}; {@code type} is of {@code enum ibv_mw_type}. */
    default MwOps allocMw(int type) {
        throw DeviceException.unsupported("ibv_alloc_mw");
    }

    /** {@code ibv_reg_dmabuf_mr}. */
    default MrOps regDmabufMr(long offset, long length, long iova, int fd, int access) {
        throw DeviceException.unsupported("ibv_reg_dmabuf_mr");
    }

    /** {@code ibv_create_srq}. */
    default SrqOps createSrq(SrqAttr attr, AsyncListener events) {
        throw DeviceException.unsupported("ibv_create_srq");
    }

    /**
     * {@code ibv_create_qp}; the CQs are of the same context.
     *
     * @param srq where it takes receive requests from; null for a queue of its own
     */
    default QpOps createQp(
            QpInit init, CqOps sendCq, CqOps recvCq, @Nullable SrqOps srq, AsyncListener events) {
        throw DeviceException.unsupported("ibv_create_qp");
    }

    /** {@code ibv_create_ah}. */
    default AhOps createAh(AhAttr attr) {
        throw DeviceException.unsupported("ibv_create_ah");
    }

    /** {@code ibv_dealloc_pd}: 0 or a negative errno. */
    int dealloc();
}

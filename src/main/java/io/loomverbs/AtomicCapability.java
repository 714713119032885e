package io.loomverbs;

/**
 * With respect to what atomic operations are atomic ({@code enum ibv_atomic_cap}).
 *
 * @since 0.1.0
 */
public enum AtomicCapability {
    /** There are no atomic operations. */
    NONE,
    /** To other operations of the same device. */
    HCA,
    /** To every access to the memory, by other devices and by CPUs. */
    GLOBAL;

    static AtomicCapability of(int value) {
        return value >= 0 && value < values().length ? values()[value] : NONE;
    }
}

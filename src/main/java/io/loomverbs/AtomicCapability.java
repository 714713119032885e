package io.loomverbs;

/**
 * How far the atomicity of atomic operations reaches ({@code enum ibv_atomic_cap}).
 *
 * @since 0.1.0
 */
public enum AtomicCapability {
    /** There are no atomic operations. */
    NONE,
    /** They are atomic to other operations of the same device. */
    HCA,
    /** They are atomic to every access to the memory, by other devices and by CPUs. */
    GLOBAL;

    static AtomicCapability of(int value) {
        return value >= 0 && value < values().length ? values()[value] : NONE;
    }
}

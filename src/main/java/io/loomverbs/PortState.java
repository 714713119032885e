package io.loomverbs;

/**
 * The logical state of a port ({@code enum ibv_port_state}), in the order of its values.
 *
 * @since 0.1.0
 */
public enum PortState {
    /** Reserved: no state change. */
    NOP,
    /** The link is down. */
    DOWN,
    /** The link is up, but not configured. */
    INIT,
    /** The link is configured, but carries no traffic yet. */
    ARMED,
    /** The port can send and receive. */
    ACTIVE,
    /** The link is active, but has had errors. */
    ACTIVE_DEFER;

    static PortState of(int value) {
        return value >= 0 && value < values().length ? values()[value] : NOP;
    }
}

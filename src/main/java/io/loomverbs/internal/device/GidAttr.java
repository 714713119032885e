package io.loomverbs.internal.device;

/**
 * {@code struct ibv_gid_entry}. The GID is two big-endian halves.
 *
 * @param type {@code enum ibv_gid_type}
 * @param netdev the number of the network interface, or 0
 */
public record GidAttr(long high, long low, int index, int type, int netdev) {}

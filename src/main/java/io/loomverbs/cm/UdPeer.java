package io.loomverbs.cm;

import io.loomverbs.AhAttributes;
import io.loomverbs.internal.cm.CmEvent;
import io.loomverbs.internal.cm.CmUdParam;

import java.util.Locale;
import java.util.Objects;

/**
 * Where datagrams go ({@code struct rdma_ud_param}): to the queue pair of a server, or to a
 * multicast group. Make an address handle of {@link #address()} with {@link
 * io.loomverbs.ProtectionDomain#createAh}, and send with {@link
 * io.loomverbs.SendWorkRequest#to(io.loomverbs.AddressHandle, int, int)}.
 *
 * @since 0.1.0
 */
public final class UdPeer {
    private final AhAttributes address;
    private final int qpNum;
    private final int qkey;
    private final byte[] privateData;

    private UdPeer(AhAttributes address, int qpNum, int qkey, byte[] privateData) {
        this.address = address;
        this.qpNum = qpNum;
        this.qkey = qkey;
        this.privateData = privateData;
    }

    /** From an event that says it. */
    static UdPeer of(CmEvent event) {
        CmUdParam ud = Objects.requireNonNull(event.ud());
        return new UdPeer(
                QpSteps.address(ud.address()), ud.qpNum(), ud.qkey(), event.privateData());
    }

    /**
     * The address of the server's port, or of the group.
     *
     * @return the address, for an address handle
     */
    public AhAttributes address() {
        return address;
    }

    /**
     * The number of the server's queue pair.
     *
     * @return the number; 0xffffff for a group
     */
    public int qpNum() {
        return qpNum;
    }

    /**
     * The key that a receiver compares with its own.
     *
     * @return the key
     */
    public int qkey() {
        return qkey;
    }

    /**
     * The private data of the server's answer.
     *
     * @return a copy, on InfiniBand and RoCE padded with zeros to 136 bytes; empty for a group
     */
    public byte[] privateData() {
        return privateData.clone();
    }

    /** Address, number and key. */
    @Override
    public String toString() {
        return String.format(
                Locale.ROOT, "queue pair 0x%06x with qkey 0x%08x at %s", qpNum, qkey, address);
    }
}

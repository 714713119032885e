package io.loomverbs;

import io.loomverbs.internal.device.Ibv;

import org.jspecify.annotations.Nullable;

/**
 * Finds the value of a change or an address that a device cannot accept, from its ports'
 * attributes: devices have one error number for all of them.
 */
final class Ranges {
    private Ranges() {}

    /** An error that is certain in a change of a queue pair, or null. */
    static @Nullable String problem(QueuePair qp, QpAttributes change) {
        Context context = qp.pd().context();
        int mask = change.mask();
        if ((mask & (Ibv.QP_PORT | Ibv.QP_PKEY_INDEX | Ibv.QP_AV | Ibv.QP_PATH_MTU)) == 0) {
            return null;
        }
        int number = portOf(qp, change);
        String problem = portProblem(context, number);
        if (problem != null) {
            return problem;
        }
        problem = (mask & Ibv.QP_PKEY_INDEX) != 0 ? pkeyProblem(qp, change) : null;
        if (problem != null) {
            return problem;
        }
        PortAttributes port = context.fixedPort(number);
        if ((mask & Ibv.QP_PATH_MTU) != 0 && exceeds(change.pathMtu(), port.maxMtu())) {
            port = context.port(number); // some devices change it with that of the network
        }
        if ((mask & Ibv.QP_PATH_MTU) != 0 && exceeds(change.pathMtu(), port.maxMtu())) {
            return "pathMtu is "
                    + change.pathMtu()
                    + ", but must be at most "
                    + port.maxMtu()
                    + ": max_mtu of port "
                    + number;
        }
        if ((mask & Ibv.QP_AV) == 0) {
            return null;
        }
        problem = problem(context, change.address());
        return problem != null ? problem : unreachable(context, change.address());
    }

    /** Of the queue pair's port, which a program may have set by {@code modify}. */
    private static @Nullable String pkeyProblem(QueuePair qp, QpAttributes change) {
        Context context = qp.pd().context();
        int number = (change.mask() & Ibv.QP_PORT) != 0 ? change.portNum() : qp.query().portNum();
        if (portProblem(context, number) != null) {
            return null; // it has none yet
        }
        int length = context.fixedPort(number).pkeyTableLength();
        return change.pkeyIndex() < length
                ? null
                : range(
                        "pkeyIndex",
                        change.pkeyIndex(),
                        0,
                        length - 1,
                        "pkey_tbl_len of port " + number);
    }

    /** A number of an address that names nothing of the device, or null. */
    static @Nullable String problem(Context context, AhAttributes address) {
        String problem = portProblem(context, address.portNum());
        if (problem != null || address.dgid() == null) {
            return problem;
        }
        int length = context.fixedPort(address.portNum()).gidTableLength();
        return address.sgidIndex() < length
                ? null
                : range(
                        "sgidIndex",
                        address.sgidIndex(),
                        0,
                        length - 1,
                        "gid_tbl_len of port " + address.portNum());
    }

    /** Why no message to an address can arrive, from the port's current state; null if it can. */
    static @Nullable String unreachable(Context context, AhAttributes address) {
        int number = address.portNum();
        if (context.fixedPort(number).linkLayer() != LinkLayer.ETHERNET) {
            return null;
        }
        Gid dgid = address.dgid();
        if (dgid == null) {
            return "dgid is null, but "
                    + named(context, number)
                    + " is of Ethernet (RoCE), where a GID is the only address";
        }
        if (dgid.isNone()) {
            return "dgid is " + dgid + ", but must not be zero: the peer's port has no GID there";
        }
        GidEntry source = context.gidEntry(number, address.sgidIndex());
        if (source == null || source.gid().reaches(dgid)) {
            return null; // the device says itself that there is no GID
        }
        return "dgid is "
                + dgid
                + ", of "
                + family(dgid)
                + ", but the GID at sgidIndex "
                + address.sgidIndex()
                + " is "
                + source.gid()
                + ", of "
                + family(source.gid())
                + ": both must be of one family, see context.gids("
                + number
                + ")";
    }

    /** Why a device may have refused an address, as the end of a sentence. */
    static String suspicion(Context context, AhAttributes address) {
        int number = address.portNum();
        String text = down(context, number);
        if (address.dgid() != null && context.gidEntry(number, address.sgidIndex()) == null) {
            text +=
                    "; "
                            + named(context, number)
                            + " has no GID at sgidIndex "
                            + address.sgidIndex()
                            + ", only at "
                            + context.gids(number).stream().map(GidEntry::index).toList();
        }
        return text;
    }

    private static boolean exceeds(Mtu mtu, Mtu max) {
        return max.bytes() > 0 && mtu.bytes() > max.bytes(); // 0 if it is not known
    }

    private static String family(Gid gid) {
        return gid.isIpv4() ? "IPv4" : "IPv6";
    }

    /** Why a device may have refused a change, as the end of a sentence. */
    static String suspicion(QueuePair qp, QpAttributes change) {
        Context context = qp.pd().context();
        DeviceAttributes limits = context.attributes();
        int mask = change.mask();
        String text = "";
        if ((mask & Ibv.QP_AV) != 0) {
            text += suspicion(context, change.address());
        }
        if ((mask & Ibv.QP_MAX_QP_RD_ATOMIC) != 0
                && change.maxRdAtomic() > limits.maxQpInitReadAtomic()) {
            text +=
                    beyond("maxRdAtomic", change.maxRdAtomic(), limits.maxQpInitReadAtomic())
                            + "max_qp_init_rd_atom";
        }
        if ((mask & Ibv.QP_MAX_DEST_RD_ATOMIC) != 0
                && change.maxDestRdAtomic() > limits.maxQpReadAtomic()) {
            text +=
                    beyond("maxDestRdAtomic", change.maxDestRdAtomic(), limits.maxQpReadAtomic())
                            + "max_qp_rd_atom";
        }
        return text;
    }

    /** That a port cannot send, as the end of a sentence; nothing if it can. */
    private static String down(Context context, int port) {
        PortState state = context.port(port).state();
        return state == PortState.ACTIVE || state == PortState.ACTIVE_DEFER
                ? ""
                : "; " + named(context, port) + " is " + state;
    }

    private static int portOf(QueuePair qp, QpAttributes change) {
        if ((change.mask() & Ibv.QP_PORT) != 0) {
            return change.portNum();
        }
        return (change.mask() & Ibv.QP_AV) != 0 ? change.address().portNum() : qp.port();
    }

    private static @Nullable String portProblem(Context context, int port) {
        int ports = context.attributes().physicalPortCount();
        return port >= 1 && port <= ports
                ? null
                : range("portNum", port, 1, ports, "phys_port_cnt of " + context);
    }

    private static String named(Context context, int port) {
        return "port " + port + " of " + context;
    }

    private static String beyond(String name, int value, int max) {
        return "; " + name + " is " + value + ", beyond " + max + ", the device's ";
    }

    private static String range(String name, int value, int min, int max, String limit) {
        return name + " is " + value + ", but must be " + min + " to " + max + ": " + limit;
    }
}

package io.loomverbs;

/**
 * The port and the GID that a queue pair sends from.
 *
 * @param number the port
 * @param gidIndex which of its GIDs is the source, or {@link QueuePair#NO_GID}
 */
record LocalPort(int number, int gidIndex) {
    static LocalPort ofDefault(Context context, int number) {
        return new LocalPort(number, context.defaultGidIndex(number));
    }

    QpEndpoint endpoint(Context context, int qpNum, int psn) {
        PortAttributes port = context.port(number);
        Gid gid = gidIndex == QueuePair.NO_GID ? null : context.gid(number, gidIndex);
        return new QpEndpoint(qpNum, psn, port.lid(), gid, known(port.activeMtu()));
    }

    /** The way to a peer. */
    AhAttributes addressOf(QpEndpoint remote) {
        Gid gid = remote.gid();
        return gid == null || gidIndex == QueuePair.NO_GID
                ? new AhAttributes(number, remote.lid(), 0, null, 0, 0, 0, 0)
                : new AhAttributes(
                        number, remote.lid(), 0, gid, gidIndex, AhAttributes.HOP_LIMIT, 0, 0);
    }

    /**
     * The least that every device can do, where the port says something that verbs has no name for.
     */
    static Mtu known(Mtu active) {
        return active == Mtu.UNKNOWN ? Mtu.MTU_256 : active;
    }
}

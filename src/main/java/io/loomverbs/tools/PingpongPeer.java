package io.loomverbs.tools;

import io.loomverbs.Gid;
import io.loomverbs.QpEndpoint;

import org.jspecify.annotations.Nullable;

import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The endpoints that the two ends of a ping-pong exchange, in the format of rdma-core's C programs:
 * LID, queue pair number and PSN in hexadecimal digits, the 16 bytes of the GID, zeros if there is
 * none, and a NUL.
 */
record PingpongPeer(int lid, int qpn, int psn, @Nullable Gid gid) {
    /** The length of what is sent, the NUL included. */
    static final int WIRE_BYTES = "0000:000000:000000:00000000000000000000000000000000\0".length();

    private static final Gid NO_GID = new Gid(0, 0);
    private static final int HEX = 16;
    private static final Pattern WIRE =
            Pattern.compile(
                    "([0-9a-f]{4}):([0-9a-f]{6}):([0-9a-f]{6}):([0-9a-f]{32})\0",
                    Pattern.CASE_INSENSITIVE);

    PingpongPeer(QpEndpoint endpoint) {
        this(endpoint.lid(), endpoint.qpNum(), endpoint.psn(), endpoint.gid());
    }

    QpEndpoint endpoint() {
        return new QpEndpoint(qpn, psn, lid, gid);
    }

    byte[] toWire() {
        Gid sent = gid == null ? NO_GID : gid;
        String text =
                String.format(
                        Locale.ROOT,
                        "%04x:%06x:%06x:%s\0",
                        lid,
                        qpn,
                        psn,
                        HexFormat.of().formatHex(sent.toBytes()));
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    static PingpongPeer ofWire(byte[] bytes) {
        String text = new String(bytes, StandardCharsets.ISO_8859_1);
        Matcher fields = WIRE.matcher(text);
        if (!fields.matches()) {
            throw new IllegalStateException(
                    "the peer does not speak as ibv_rc_pingpong does; it sent \""
                            + text.replaceAll("[^ -~]", "?")
                            + '"');
        }
        Gid gid = Gid.of(HexFormat.of().parseHex(fields.group(4)));
        return new PingpongPeer(
                Integer.parseInt(fields.group(1), HEX),
                Integer.parseInt(fields.group(2), HEX),
                Integer.parseInt(fields.group(3), HEX),
                gid.equals(NO_GID) ? null : gid);
    }

    /** As the C programs print it. */
    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "LID 0x%04x, QPN 0x%06x, PSN 0x%06x, GID %s",
                lid,
                qpn,
                psn,
                gid == null ? "::" : gid);
    }
}

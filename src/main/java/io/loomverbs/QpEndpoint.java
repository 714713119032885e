package io.loomverbs;

import org.jspecify.annotations.Nullable;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * What a peer must know to reach a queue pair. Programs exchange it over another connection, as
 * text: {@link #toString} and {@link #parse}.
 *
 * @param qpNum the queue pair's number, 24 bits
 * @param psn the first packet sequence number that it sends, 24 bits
 * @param lid the local identifier of its port; 0 on Ethernet
 * @param gid the GID of its port, or null to address it by LID only
 * @param mtu the largest path MTU that its port can use now; {@link Mtu#UNKNOWN} if unknown
 * @since 0.1.0
 */
public record QpEndpoint(int qpNum, int psn, int lid, @Nullable Gid gid, Mtu mtu) {
    private static final int BITS_24 = 0xffffff;
    private static final Set<String> REQUIRED = Set.of("qpn", "psn", "lid");
    private static final Set<String> OPTIONAL = Set.of("gid", "mtu");
    private static final String EXAMPLE =
            "qpn=0x00002a,psn=0x123456,lid=0,gid=::ffff:10.0.0.1,mtu=1024";

    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if a component is out of the range given above
     */
    public QpEndpoint {
        Arguments.inRange("qpNum", qpNum, 0, BITS_24, "24 bits");
        Arguments.inRange("psn", psn, 0, BITS_24, "24 bits");
        Arguments.inRange("lid", lid, 0, 0xffff, "16 bits");
        Arguments.notNull(mtu, "mtu");
    }

    /**
     * An endpoint without an MTU, such as that of a C program.
     *
     * @param qpNum the queue pair's number, 24 bits
     * @param psn the first packet sequence number that it sends, 24 bits
     * @param lid the local identifier of its port; 0 on Ethernet
     * @param gid the GID of its port, or null to address it by LID only
     * @throws IllegalArgumentException if a component is out of its range
     */
    public QpEndpoint(int qpNum, int psn, int lid, @Nullable Gid gid) {
        this(qpNum, psn, lid, gid, Mtu.UNKNOWN);
    }

    /**
     * Parses the text of {@link #toString}: a line of {@code name=value}, in any order, separated
     * by commas. {@code gid} and {@code mtu} may be missing.
     *
     * @param text such as {@code qpn=0x00002a,psn=0x123456,lid=0,gid=::ffff:10.0.0.1,mtu=1024}
     * @return the endpoint
     * @throws IllegalArgumentException if it is not such a line; the message names the part
     */
    public static QpEndpoint parse(String text) {
        Arguments.notNull(text, "text");
        Map<String, String> fields = new HashMap<>();
        for (String part : text.strip().split(",", -1)) {
            int equals = part.indexOf('=');
            String name = equals < 0 ? part : part.substring(0, equals);
            if (equals < 0 || !(REQUIRED.contains(name) || OPTIONAL.contains(name))) {
                throw wrong(text, "\"" + part + "\" is no part of one");
            }
            if (fields.put(name, part.substring(equals + 1)) != null) {
                throw wrong(text, name + " occurs twice");
            }
        }
        for (String name : new String[] {"qpn", "psn", "lid"}) {
            if (!fields.containsKey(name)) {
                throw wrong(text, name + " is missing");
            }
        }
        try {
            String gid = fields.get("gid");
            return new QpEndpoint(
                    number(fields, "qpn"),
                    number(fields, "psn"),
                    number(fields, "lid"),
                    gid == null ? null : Gid.parse(gid),
                    fields.containsKey("mtu") ? Mtu.ofBytes(number(fields, "mtu")) : Mtu.UNKNOWN);
        } catch (IllegalArgumentException e) {
            throw wrong(text, String.valueOf(e.getMessage()));
        }
    }

    private static int number(Map<String, String> fields, String name) {
        String value = fields.getOrDefault(name, "").toLowerCase(Locale.ROOT);
        try {
            return value.startsWith("0x")
                    ? Integer.parseUnsignedInt(value, 2, value.length(), 16)
                    : Integer.parseUnsignedInt(value);
        } catch (NumberFormatException | IndexOutOfBoundsException e) {
            throw new IllegalArgumentException(
                    name + " is \"" + value + "\", which is not a number");
        }
    }

    private static IllegalArgumentException wrong(String text, String why) {
        return new IllegalArgumentException(
                "text is \""
                        + text
                        + "\", but must be an endpoint, such as "
                        + EXAMPLE
                        + ": "
                        + why);
    }

    /** One line that {@link #parse} reads. */
    @Override
    public String toString() {
        return "qpn="
                + Wording.hex24(qpNum)
                + ",psn="
                + Wording.hex24(psn)
                + ",lid="
                + lid
                + (gid == null ? "" : ",gid=" + gid)
                + (mtu == Mtu.UNKNOWN ? "" : ",mtu=" + mtu.bytes());
    }
}

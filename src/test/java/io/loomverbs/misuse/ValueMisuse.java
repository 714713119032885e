package io.loomverbs.misuse;

import io.loomverbs.AhAttributes;
import io.loomverbs.Gid;
import io.loomverbs.Mtu;
import io.loomverbs.QpAttributes;
import io.loomverbs.QpConfig;
import io.loomverbs.QpEndpoint;
import io.loomverbs.QpType;

/** Values out of range: attributes, addresses, endpoints and configurations. */
final class ValueMisuse extends MisuseTable {
    ValueMisuse() {
        range("rqPsn", QpAttributes.Builder::rqPsn, 0, 0xffffff);
        range("sqPsn", QpAttributes.Builder::sqPsn, 0, 0xffffff);
        range("destQpNum", QpAttributes.Builder::destQpNum, 0, 0xffffff);
        range("pkeyIndex", QpAttributes.Builder::pkeyIndex, 0, 0xffff);
        range("portNum", QpAttributes.Builder::portNum, 1, 255);
        range("maxRdAtomic", QpAttributes.Builder::maxRdAtomic, 0, 255);
        range("maxDestRdAtomic", QpAttributes.Builder::maxDestRdAtomic, 0, 255);
        range("minRnrTimer", QpAttributes.Builder::minRnrTimer, 0, 31);
        range("timeout", QpAttributes.Builder::timeout, 0, 31);
        range("retryCnt", QpAttributes.Builder::retryCnt, 0, 7);
        range("rnrRetry", QpAttributes.Builder::rnrRetry, 0, 7);

        for (int length : new int[] {0, 15, 17}) {
            iae("Gid.of(byte[])", s -> Gid.of(new byte[length]), "bytes.length is " + length, "16");
        }
        iae(
                "QpAttributes.Builder.pathMtu(Mtu)",
                s -> QpAttributes.builder().pathMtu(Mtu.UNKNOWN),
                "pathMtu is UNKNOWN",
                "MTU_256 to MTU_4096");
        String endpoint = "QpEndpoint(int, int, int, Gid)";
        for (int bad : new int[] {-1, 0x1000000}) {
            iae(endpoint, s -> new QpEndpoint(bad, 0, 0, null), "qpNum is " + bad);
            iae(endpoint, s -> new QpEndpoint(0, bad, 0, null), "psn is " + bad);
            iae(endpoint, s -> new QpEndpoint(0, 0, bad, null), "lid is " + bad);
        }
        String told = "QpEndpoint(int, int, int, Gid, Mtu)";
        iae(told, s -> new QpEndpoint(-1, 0, 0, null, Mtu.MTU_256), "qpNum is -1");
        String parse = "QpEndpoint.parse(String)";
        iae(parse, s -> QpEndpoint.parse(""), "text is \"\"", "such as qpn=", "no part");
        iae(parse, s -> QpEndpoint.parse("qpn=1,psn=2"), "lid is missing");
        iae(parse, s -> QpEndpoint.parse("qpn=1,psn=2,lid=3,lid=3"), "lid occurs twice");
        iae(parse, s -> QpEndpoint.parse("qpn=1,psn=2,lid=3,pns=4"), "\"pns=4\" is no part");
        iae(parse, s -> QpEndpoint.parse("qpn=1,psn=2,lid=3,"), "\"\" is no part");
        iae(parse, s -> QpEndpoint.parse("qpn=x,psn=2,lid=3"), "qpn is \"x\"", "not a number");
        iae(parse, s -> QpEndpoint.parse("qpn=0x,psn=2,lid=3"), "qpn is \"0x\"", "not a number");
        iae(parse, s -> QpEndpoint.parse("qpn=-1,psn=2,lid=3"), "qpn is \"-1\"");
        iae(parse, s -> QpEndpoint.parse("qpn=1,psn=0x1000000,lid=3"), "psn is 16777216");
        iae(parse, s -> QpEndpoint.parse("qpn=1,psn=2,lid=65536"), "lid is 65536");
        iae(parse, s -> QpEndpoint.parse("qpn=1,psn=2,lid=3,mtu=1000"), "mtu is 1000");
        iae(parse, s -> QpEndpoint.parse("qpn=1,psn=2,lid=3,gid=here"), "\"here\"", "GID");
        String[] noGids = {
            "", ":", "10.0.0", "10.0.0.256", "10.0.0.1.2", "fe80::1%lo", "[::1]", "host", "1::2::3"
        };
        for (String bad : noGids) {
            iae("Gid.parse(String)", s -> Gid.parse(bad), "text is \"" + bad + "\"", "a GID");
        }
        String ah = "AhAttributes(int, int, int, Gid, int, int, int, int)";
        String longAh = "AhAttributes(int, int, int, Gid, int, int, int, int, int, int)";
        for (int bad : new int[] {-1, 0x100000, MAX}) {
            iae(ah, s -> new AhAttributes(bad, 0, 0, null, 0, 0, 0, 0), "portNum is " + bad);
            iae(ah, s -> new AhAttributes(1, bad, 0, null, 0, 0, 0, 0), "dlid is " + bad);
            iae(ah, s -> new AhAttributes(1, 0, bad, null, 0, 0, 0, 0), "sl is " + bad);
            iae(ah, s -> new AhAttributes(1, 0, 0, null, bad, 0, 0, 0), "sgidIndex is " + bad);
            iae(ah, s -> new AhAttributes(1, 0, 0, null, 0, bad, 0, 0), "hopLimit is " + bad);
            iae(ah, s -> new AhAttributes(1, 0, 0, null, 0, 0, bad, 0), "trafficClass is " + bad);
            iae(ah, s -> new AhAttributes(1, 0, 0, null, 0, 0, 0, bad), "flowLabel is " + bad);
            iae(
                    longAh,
                    s -> new AhAttributes(1, 0, 0, null, 0, 0, 0, 0, bad, 0),
                    "srcPathBits is " + bad);
            iae(
                    longAh,
                    s -> new AhAttributes(1, 0, 0, null, 0, 0, 0, 0, 0, bad),
                    "staticRate is " + bad);
            iae(
                    "AhAttributes.of(Gid, int)",
                    s -> AhAttributes.of(new Gid(0, 0), bad),
                    "dlid is " + bad);
        }
        String config =
                "QpConfig(QpType, CompletionQueue, CompletionQueue, int, int, int, int, int,"
                        + " boolean, SharedReceiveQueue, Object)";
        for (int bad : new int[] {-1, Integer.MIN_VALUE}) {
            iae(config, s -> config(s, bad, 1, 1, 1, 0), "maxSendWr is " + bad, "at least 0");
            iae(config, s -> config(s, 1, bad, 1, 1, 0), "maxRecvWr is " + bad);
            iae(config, s -> config(s, 1, 1, bad, 1, 0), "maxSendSge is " + bad);
            iae(config, s -> config(s, 1, 1, 1, bad, 0), "maxRecvSge is " + bad);
            iae(
                    "QpConfig.withWr(int, int)",
                    s -> s.config(QpType.RC).withWr(bad, 1),
                    "maxSendWr is " + bad);
            iae(
                    "QpConfig.withSge(int, int)",
                    s -> s.config(QpType.RC).withSge(1, bad),
                    "maxRecvSge is " + bad);
        }
        iae(config, s -> config(s, 1, 1, 1, 1, -1), "maxInlineData is -1", "at least 0");
        iae(
                "QpConfig.withInlineData(int)",
                s -> s.config(QpType.RC).withInlineData(-1),
                "maxInlineData is -1");
    }

    private interface IntSetter {
        void set(QpAttributes.Builder builder, int value);
    }

    private void range(String name, IntSetter setter, int min, int max) {
        for (int bad : new int[] {min - 1, max + 1, MAX, Integer.MIN_VALUE}) {
            iae(
                    "QpAttributes.Builder." + name + "(int)",
                    s -> setter.set(QpAttributes.builder(), bad),
                    name + " is " + bad,
                    min + " to " + max);
        }
    }

    private static QpConfig config(
            Scene s, int sendWr, int recvWr, int sendSge, int recvSge, int inline) {
        return new QpConfig(
                QpType.RC, s.polled, s.polled, sendWr, recvWr, sendSge, recvSge, inline, false,
                null, null);
    }
}

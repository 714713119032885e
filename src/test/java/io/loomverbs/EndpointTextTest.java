package io.loomverbs;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.util.List;

/** GIDs and endpoints as text, and which GID is chosen. */
class EndpointTextTest {
    @ParameterizedTest
    @CsvSource({
        "fe80::202:c9ff:fe00:1, fe80:0000:0000:0000:0202:c9ff:fe00:0001",
        "fe80:0000:0000:0000:0202:c9ff:fe00:0001, fe80:0000:0000:0000:0202:c9ff:fe00:0001",
        "::ffff:10.0.0.1, 0000:0000:0000:0000:0000:ffff:0a00:0001",
        "10.0.0.1, 0000:0000:0000:0000:0000:ffff:0a00:0001",
        "255.254.253.252, 0000:0000:0000:0000:0000:ffff:fffe:fdfc",
        "::, 0000:0000:0000:0000:0000:0000:0000:0000",
        "FF0E::1, ff0e:0000:0000:0000:0000:0000:0000:0001"
    })
    void aGidIsRead(String text, String gid) {
        assertThat(Gid.parse(text)).hasToString(gid);
        assertThat(Gid.parse(gid)).isEqualTo(Gid.parse(text));
    }

    @Test
    void anEndpointIsALine() {
        QpEndpoint whole =
                new QpEndpoint(0x2a, 0xffffff, 0xffff, Gid.parse("10.0.0.1"), Mtu.MTU_1024);
        String line =
                "qpn=0x00002a,psn=0xffffff,lid=65535,"
                        + "gid=0000:0000:0000:0000:0000:ffff:0a00:0001,mtu=1024";
        assertThat(whole).hasToString(line);
        assertThat(QpEndpoint.parse(line)).isEqualTo(whole);
        assertThat(QpEndpoint.parse(" " + line + "\r\n")).isEqualTo(whole);
        QpEndpoint little = new QpEndpoint(0, 1, 2, null);
        assertThat(little).hasToString("qpn=0x000000,psn=0x000001,lid=2");
        assertThat(QpEndpoint.parse("lid=2,psn=0X1,qpn=0")).isEqualTo(little);
        assertThat(little.mtu()).isEqualTo(Mtu.UNKNOWN);
        for (Mtu mtu : Mtu.values()) {
            QpEndpoint endpoint = new QpEndpoint(1, 2, 3, null, mtu);
            assertThat(QpEndpoint.parse(endpoint.toString())).isEqualTo(endpoint);
        }
    }

    private static GidEntry entry(int index, String gid, GidType type) {
        return new GidEntry(1, index, Gid.parse(gid), type, 0);
    }

    /** A table as mlx5 has it: every address twice, version 1 first. */
    private static final List<GidEntry> TABLE =
            List.of(
                    entry(0, "fe80::1", GidType.ROCE_V1),
                    entry(1, "fe80::1", GidType.ROCE_V2),
                    entry(2, "169.254.0.1", GidType.ROCE_V2),
                    entry(3, "2001:db8::1", GidType.ROCE_V2),
                    entry(4, "10.0.0.1", GidType.ROCE_V1),
                    entry(5, "10.0.0.1", GidType.ROCE_V2),
                    entry(6, "10.0.0.2", GidType.ROCE_V2));

    @ParameterizedTest
    @CsvSource({"7, 5", "5, 3", "3, 1", "2, 1", "1, 0", "0, 0"})
    void theFarthestIsChosen(int length, int index) {
        assertThat(GidChoice.best(TABLE.subList(0, length), null)).isEqualTo(index);
    }

    @ParameterizedTest
    @CsvSource({"10.9.9.9, 5", "2001:db8::9, 3", "fe80::9, 1", "169.254.9.9, 2", "ff0e::1, 3"})
    void theOneThatReachesIsChosen(String dgid, int index) {
        assertThat(GidChoice.best(TABLE, Gid.parse(dgid))).isEqualTo(index);
    }

    @Test
    void anUnknownTypeOfGidIsOther() {
        assertThat(GidType.of(0)).isEqualTo(GidType.IB);
        assertThat(GidType.of(2)).isEqualTo(GidType.ROCE_V2);
        assertThat(GidType.of(3)).isEqualTo(GidType.OTHER);
        assertThat(GidType.of(-1)).isEqualTo(GidType.OTHER);
    }

    @Test
    void aGidThatIsChosenLeavesOtherAttributesAsTheyAre() {
        try (Context context = Verbs.device("soft0").open()) {
            QpAttributes given =
                    QpAttributes.builder()
                            .enSqdAsyncNotify(true)
                            .address(AhAttributes.of(context.gids(1).getFirst().gid(), 1))
                            .build();
            QpAttributes fitting = given.fitting(context);
            assertThat(fitting.address().sgidIndex()).isNotEqualTo(AhAttributes.FITTING_GID);
            assertThat(fitting.enSqdAsyncNotify()).isTrue();
        }
    }
}

package io.loomverbs.internal.soft;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.internal.device.Ibv;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * {@link QpTransitions} against the tables of IBA 10.3.1, written down once more in the
 * specification's own terms: every pair of states, every set of attributes that matters.
 */
class QpTransitionsTest {
    private static final List<String> STATES =
            List.of("RESET", "INIT", "RTR", "RTS", "SQD", "SQE", "ERR");

    private static final Map<String, Integer> BITS =
            Map.ofEntries(
                    Map.entry("cur", 1 << 1),
                    Map.entry("notify", 1 << 2),
                    Map.entry("access", 1 << 3),
                    Map.entry("pkey", 1 << 4),
                    Map.entry("port", 1 << 5),
                    Map.entry("qkey", 1 << 6),
                    Map.entry("av", 1 << 7),
                    Map.entry("mtu", 1 << 8),
                    Map.entry("timeout", 1 << 9),
                    Map.entry("retry", 1 << 10),
                    Map.entry("rnr", 1 << 11),
                    Map.entry("rqpsn", 1 << 12),
                    Map.entry("rdatomic", 1 << 13),
                    Map.entry("alt", 1 << 14),
                    Map.entry("minrnr", 1 << 15),
                    Map.entry("sqpsn", 1 << 16),
                    Map.entry("destrdatomic", 1 << 17),
                    Map.entry("mig", 1 << 18),
                    Map.entry("cap", 1 << 19),
                    Map.entry("dest", 1 << 20));

    /** type, from, to, required, optional. What is not listed is not allowed. */
    private static final String TABLE =
            """
            RC RESET INIT | pkey port access |
            UC RESET INIT | pkey port access |
            UD RESET INIT | pkey port qkey |
            RC INIT INIT || pkey port access
            UC INIT INIT || pkey port access
            UD INIT INIT || pkey port qkey
            RC INIT RTR | av mtu dest rqpsn destrdatomic minrnr | alt access pkey
            UC INIT RTR | av mtu dest rqpsn | alt access pkey
            UD INIT RTR || pkey qkey
            RC RTR RTS | timeout retry rnr sqpsn rdatomic | cur access minrnr alt mig
            UC RTR RTS | sqpsn | cur access alt mig
            UD RTR RTS | sqpsn | cur qkey
            RC RTS RTS || cur access minrnr alt mig
            UC RTS RTS || cur access alt mig
            UD RTS RTS || cur qkey
            RC RTS SQD || notify
            UC RTS SQD || notify
            UD RTS SQD || notify
            RC SQD RTS || cur access minrnr alt mig
            UC SQD RTS || cur access alt mig
            UD SQD RTS || cur qkey
            RC SQD SQD || port av timeout retry rnr rdatomic destrdatomic alt access pkey minrnr mig
            UC SQD SQD || av alt access pkey mig
            UD SQD SQD || pkey qkey
            RC SQE RTS ||
            UC SQE RTS || cur access
            UD SQE RTS || cur qkey
            """;

    record Step(int type, int from, int to, boolean valid, int required, int optional) {
        @Override
        public String toString() {
            return "type " + type + " " + STATES.get(from) + " -> " + STATES.get(to);
        }
    }

    static List<Step> steps() {
        Map<String, String> rows =
                TABLE.lines()
                        .collect(
                                Collectors.toMap(
                                        l -> l.substring(0, l.indexOf('|')).strip(),
                                        l -> l.substring(l.indexOf('|') + 1)));
        List<Step> steps = new ArrayList<>();
        for (String type : List.of("RC", "UC", "UD")) {
            for (String from : STATES) {
                for (String to : STATES) {
                    boolean always =
                            to.equals("RESET") || (to.equals("ERR") && !from.equals("RESET"));
                    String row = rows.get(type + " " + from + " " + to);
                    String[] masks = row == null ? new String[] {"", ""} : row.split("\\|", -1);
                    steps.add(
                            new Step(
                                    List.of("RC", "UC", "UD").indexOf(type) + Ibv.QPT_RC,
                                    STATES.indexOf(from),
                                    STATES.indexOf(to),
                                    always || row != null,
                                    mask(masks[0]),
                                    mask(masks[1])));
                }
            }
        }
        return steps;
    }

    private static int mask(String names) {
        return Stream.of(names.strip().split(" +"))
                .filter(n -> !n.isEmpty())
                .mapToInt(BITS::get)
                .reduce(0, (a, b) -> a | b);
    }

    @ParameterizedTest
    @MethodSource("steps")
    void everySetOfAttributesIsJudgedAsSpecified(Step s) {
        int known = s.required | s.optional;
        int subset = known;
        while (true) {
            boolean complete = (subset & s.required) == s.required;
            check(s, subset, s.valid && complete);
            check(s, subset | Ibv.QP_STATE, s.valid && complete);
            for (int foreign : BITS.values()) {
                if ((known & foreign) == 0) {
                    check(s, subset | foreign, false);
                }
            }
            if (subset == 0) {
                break;
            }
            subset = (subset - 1) & known;
        }
    }

    private static void check(Step s, int mask, boolean expected) {
        if (QpTransitions.allowed(s.type, s.from, s.to, mask) != expected) {
            assertThat(QpTransitions.allowed(s.type, s.from, s.to, mask))
                    .as("%s with mask %x", s, mask)
                    .isEqualTo(expected);
        }
    }
}

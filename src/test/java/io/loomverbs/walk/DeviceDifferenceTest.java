package io.loomverbs.walk;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.util.ArrayList;
import java.util.List;

/** The same programmes of verbs on {@code strict0} and on {@code walk.device}. */
@Timeout(24 * 3600)
class DeviceDifferenceTest {
    private static final String DEVICE = System.getProperty("walk.device", "soft0");
    private static final int STEPS = 30;

    @Test
    void devicesAgree() throws Exception {
        List<String> differences = new ArrayList<>();
        long first = Long.getLong("walk.first", 1);
        for (long seed = first; seed < first + Long.getLong("walk.programmes", 10); seed++) {
            List<String> expected = run("strict0", seed);
            List<String> actual = run(DEVICE, seed);
            for (int i = 0; i < Math.max(expected.size(), actual.size()); i++) {
                String e = i < expected.size() ? expected.get(i) : "the end";
                String a = i < actual.size() ? actual.get(i) : "the end";
                if (!e.equals(a)) {
                    differences.add(
                            "seed "
                                    + seed
                                    + ", "
                                    + expected.get(0)
                                    + "\n   after  "
                                    + (i > 0 ? expected.get(i - 1) : "")
                                    + "\n   strict0 "
                                    + e
                                    + "\n   "
                                    + DEVICE
                                    + " "
                                    + a);
                    break;
                }
            }
        }
        assertThat(String.join("\n", differences)).isEmpty();
    }

    private static List<String> run(String device, long seed) throws Exception {
        try (Programme programme = new Programme(device, seed)) {
            return programme.run(STEPS);
        }
    }
}

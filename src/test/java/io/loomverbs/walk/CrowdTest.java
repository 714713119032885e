package io.loomverbs.walk;

import static org.junit.jupiter.api.Assertions.fail;

import io.loomverbs.ClosedException;
import io.loomverbs.VerbsException;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.lang.Thread.UncaughtExceptionHandler;
import java.time.Duration;

/** Several threads call anything on the same objects. Properties as for {@link ApiWalkTest}. */
@Timeout(24 * 3600) // each step is bounded, see Crowd
class CrowdTest {
    private static final int STEPS = 400;

    private static UncaughtExceptionHandler before;

    /** Handlers end with what others do to their CQs, some thousand times. */
    @BeforeAll
    static void expectFailedHandlers() {
        before = Thread.getDefaultUncaughtExceptionHandler();
        Thread.setDefaultUncaughtExceptionHandler(
                (thread, e) -> {
                    if (!(e instanceof VerbsException || e instanceof ClosedException)) {
                        System.err.println("uncaught in " + thread);
                        e.printStackTrace();
                    }
                });
    }

    @AfterAll
    static void showFailedHandlers() {
        Thread.setDefaultUncaughtExceptionHandler(before);
    }

    @ParameterizedTest
    @ValueSource(strings = {"soft0", "strict0"})
    void holdsWhateverOthersDo(String device) throws InterruptedException {
        long start = System.nanoTime();
        Duration time = Duration.ofSeconds(Long.getLong("walk.seconds", 3));
        Long one = Long.getLong("walk.seed");
        long seed = one != null ? one : Long.getLong("walk.first", 1);
        do {
            String problem = new Crowd(device, seed).take(STEPS);
            if (problem != null) {
                fail("on " + device + ", -Dwalk.seed=" + seed + ":\n" + problem);
            }
            seed++;
        } while (System.nanoTime() - start < time.toNanos());
    }
}

package io.loomverbs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.support.ChildJvm;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.util.List;

/** Memory or stack runs out once the device has created or destroyed an object. */
@Timeout(120)
class HalfMadeTest {
    /** Nothing is allocated once the device has created an object. */
    @Test
    void anObjectIsGivenThoughItsCreationHasUsedUpTheMemory() throws Exception {
        List<String> options = List.of("-Xmx24m", "-XX:+UseSerialGC", "-XX:-UseTLAB");
        assertThat(ChildJvm.run(HalfMadeChild.class, options)).isEqualTo("all closed\n");
    }

    /** What is known of open devices may fail, too, for lack of memory or because of its name. */
    @Test
    void aDeviceThatCannotBeEnteredIsClosed() throws Exception {
        List<String> options = List.of("-Dloomverbs.leakDetection=full");
        assertThat(ChildJvm.run(HalfOpenChild.class, options))
                .isEqualTo("planted, open: 0, kept: 0\n");
    }

    /** Else every later wait would fail: the JVM never initializes a class again. */
    @Test
    void whatCannotBeRecordedForLackOfMemoryIsLeftOut() throws Exception {
        List<String> options = List.of("-Xmx24m", "-XX:+UseSerialGC", "-XX:-UseTLAB");
        assertThat(ChildJvm.run(RecordWithoutMemoryChild.class, options)).isEqualTo("null\nnull\n");
    }

    /** The CQ is not left to a thread that does not serve it. */
    @Test
    void aThreadThatHasNoMemoryToServeGivesTheCqBack() throws Exception {
        List<String> options = List.of("-Xmx24m", "-XX:+UseSerialGC", "-XX:-UseTLAB");
        assertThat(ChildJvm.run(ServeWithoutMemoryChild.class, options))
                .isEqualTo("no memory, ended: true\nall closed\n");
    }

    @Test
    void whatMeetsAnErrorAfterwardsIsClosedAndLetsGoOfAllThatItUsed() {
        Error error = new StackOverflowError("planted");
        Lifecycle one = new Lifecycle("one");
        Lifecycle two = new Lifecycle("two");
        Lifecycle user = new Lifecycle("user", one, two);
        Lifecycle.create("ibv_create_it", () -> "user", one, two);
        Runnable afterwards =
                () -> {
                    throw error;
                };
        assertThatThrownBy(() -> user.close(() -> 0, afterwards)).isSameAs(error);
        assertThat(user.isClosed()).isTrue();
        assertThat(one.users()).isZero();
        assertThat(two.users()).isZero();
        assertThat(one.openUsers()).isEmpty();
        assertThat(user.close(() -> 1, () -> {})).isZero();
    }

    /** What fails while it lets go of one of them lets go of the others. */
    @Test
    void anErrorAtOneDoesNotKeepTheOthers() {
        Error error = new StackOverflowError("planted");
        Object owner =
                new Object() {
                    private int calls;

                    @Override
                    public int hashCode() {
                        calls++;
                        if (calls == 3) {
                            throw error;
                        }
                        return 1;
                    }
                };
        Lifecycle one = new Lifecycle("one");
        Lifecycle two = new Lifecycle("two");
        Lifecycle user = new Lifecycle(owner, one, two);
        Lifecycle.create("ibv_create_it", () -> owner, one, two);
        assertThatThrownBy(() -> user.close(() -> 0, () -> {})).isSameAs(error);
        assertThat(user.isClosed()).isTrue();
        assertThat(one.users()).isZero();
        assertThat(two.users()).isZero();
    }
}

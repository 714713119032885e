package io.loomverbs.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.loomverbs.Access;
import io.loomverbs.MemoryRegion;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.Verbs;
import io.loomverbs.VerbsException;
import io.loomverbs.support.ChildJvm;
import io.loomverbs.support.Differences;
import io.loomverbs.support.Fixture;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/** Memory of {@code allocateMr}: whose it is, how long, and how much there may be. */
@Tag("device")
@Timeout(120)
@SuppressWarnings("try") // explicit closes are what is tried
class RegionMemoryTest {
    private static final long MIB = 1 << 20;
    private static final String LITTLE_HEAP = "-Xmx64m";
    private static final String NO_GC = "-XX:+DisableExplicitGC";

    private final Fixture f = new Fixture();

    @AfterEach
    void nothingIsLeft() throws Exception {
        f.close();
    }

    /** What a closed region reads as: zero, or not at all. */
    private static boolean isGone(MemorySegment memory, long at) {
        try {
            return memory.get(JAVA_LONG, at) == 0;
        } catch (IllegalStateException closed) {
            return true;
        }
    }

    /** More regions than memory, one after the other, with and without native calls. */
    @ParameterizedTest
    @ValueSource(strings = {ChildJvm.NATIVE_ACCESS, "-Dnone"})
    void aClosedRegionNeedsNoCollector(String access) throws Exception {
        List<String> options = List.of(LITTLE_HEAP, NO_GC, access);
        String said = ChildJvm.run(List.of(), options, RegionMemoryChild.class, "600", "" + MIB);
        if (!Differences.EMBEDDED && access.equals("-Dnone")) {
            assertThat(said).contains("native access is not enabled");
        } else {
            assertThat(said).isEqualTo("600 regions, in use 0\n");
        }
    }

    /** Memory that was used and freed comes back as zeros, and is the new region's alone. */
    @Test
    void aClosedRegionNeverShowsAnother() {
        List<MemorySegment> closed = new ArrayList<>();
        for (long bytes : new long[] {8, 4096, 5000, MIB, 5 * MIB}) {
            for (int i = 0; i < 300; i++) {
                MemoryRegion mr = f.pd.allocateMr(bytes, Access.LOCAL_WRITE);
                MemorySegment memory = mr.memory();
                assertThat(memory.byteSize()).isEqualTo(bytes);
                assertThat(memory.address() % 64).isZero();
                long last = bytes - 8 & -8L;
                assertThat(memory.get(JAVA_LONG, 0)).isZero();
                assertThat(memory.get(JAVA_LONG, last)).isZero();
                memory.set(JAVA_LONG, 0, -1);
                memory.set(JAVA_LONG, last, -1);
                for (MemorySegment before : closed) {
                    assertThat(isGone(before, 0)).isTrue();
                }
                mr.close();
                assertThat(isGone(memory, 0)).isTrue();
                assertThat(isGone(memory, last)).isTrue();
                if (i % 30 == 0) {
                    closed.add(memory);
                }
            }
        }
    }

    /** What is written to a closed region is lost, or refused, and harms nothing. */
    @Test
    void writesToAClosedRegionAreLost() {
        MemoryRegion mr = f.pd.allocateMr(MIB, Access.LOCAL_WRITE);
        MemorySegment memory = mr.memory();
        mr.close();
        try {
            memory.fill((byte) 7);
        } catch (IllegalStateException refused) {
            assertThat(refused).hasMessageContaining("closed");
        }
        for (int i = 0; i < 10; i++) {
            MemoryRegion next = f.mr(MIB);
            assertThat(next.memory().mismatch(MemorySegment.ofArray(new byte[(int) MIB])))
                    .isEqualTo(-1);
        }
    }

    /** The memory goes with the last registration that names it, whichever that is. */
    @Test
    void aSecondRegistrationKeepsTheMemory() throws Exception {
        long before = Verbs.allocatedMemory();
        MemoryRegion first = f.pd.allocateMr(2 * MIB, Access.LOCAL_WRITE);
        MemorySegment memory = first.memory();
        try (ProtectionDomain pd = f.context.allocPd()) {
            MemoryRegion part = pd.regMr(memory.asSlice(MIB, MIB), Access.LOCAL_WRITE);
            memory.set(JAVA_LONG, MIB, 42);
            first.close();
            assertThat(Verbs.allocatedMemory()).isEqualTo(before + 2 * MIB);
            f.mr(2 * MIB).memory().fill((byte) 9);
            assertThat(part.memory().get(JAVA_LONG, 0)).isEqualTo(42);
            part.close();
        }
        assertThat(isGone(memory, MIB)).isTrue();
        f.close();
        assertThat(Verbs.allocatedMemory()).isEqualTo(before);
    }

    /** Its addresses may stay for long, until those of other regions are free, too. */
    @Test
    void aClosedRegionIsNotRegisteredAgain() {
        MemoryRegion kept = f.pd.allocateMr(MIB, Access.LOCAL_WRITE);
        for (int i = 0; i < 2; i++) {
            MemoryRegion mr = f.pd.allocateMr(MIB, Access.LOCAL_WRITE);
            MemorySegment memory = mr.memory();
            mr.close();
            for (MemorySegment part : List.of(memory, memory.asSlice(100, 8))) {
                assertThatThrownBy(() -> f.pd.regMr(part, Access.LOCAL_WRITE))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessageMatching("(?s)memory .*(of a region that was closed|freed).*");
            }
        }
        f.pd.regMr(kept.memory(), Access.LOCAL_WRITE).close();
        kept.close();
    }

    /** What was said of them is forgotten with their addresses, which serve others then. */
    @Test
    void addressesOfClosedRegionsServeOthers() {
        for (int i = 0; i < 2000; i++) {
            MemoryRegion mr = f.pd.allocateMr(4096, Access.LOCAL_WRITE);
            f.pd.regMr(mr.memory().asSlice(8), Access.LOCAL_WRITE).close();
            try (Arena arena = Arena.ofShared()) {
                f.pd.regMr(arena.allocate(4096, 4096), Access.LOCAL_WRITE).close();
            }
            mr.close();
        }
    }

    private static long residentBytes() throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("VmRSS:")) {
                return Long.parseLong(line.replaceAll("[^0-9]", "")) << 10;
            }
        }
        throw new IOException("no VmRSS");
    }

    /** The system has the pages back when close returns. */
    @Test
    void closingGivesPagesBack() throws Exception {
        List<MemoryRegion> regions = new ArrayList<>();
        for (int i = 0; i < 64; i++) {
            regions.add(f.pd.allocateMr(MIB, Access.LOCAL_WRITE));
            regions.getLast().memory().fill((byte) 1);
        }
        long touched = residentBytes();
        regions.forEach(MemoryRegion::close);
        assertThat(touched - residentBytes()).isGreaterThan(48 * MIB);
    }

    /** What is in use is counted exactly, refusals and failures included. */
    @Test
    void itIsCounted() throws Exception {
        long before = Verbs.allocatedMemory();
        try (MemoryRegion a = f.pd.allocateMr(1000);
                MemoryRegion b = f.pd.allocateMr(5000)) {
            assertThat(Verbs.allocatedMemory()).isEqualTo(before + 6000);
            long tooMuch = Verbs.maxAllocatedMemory();
            Throwable refused = catchThrowable(() -> f.pd.allocateMr(tooMuch));
            assertThat(refused)
                    .isInstanceOf(VerbsException.class)
                    .hasMessageContaining("ENOMEM")
                    .hasMessageContaining("bytes is " + tooMuch)
                    .hasMessageContaining("-Dloomverbs.maxAllocatedMemory")
                    .hasMessageContaining("-XX:MaxDirectMemorySize")
                    .hasMessageContaining((before + 6000) + " are in use");
            assertThat(a.length() + b.length()).isEqualTo(6000);
        }
        assertThat(Verbs.allocatedMemory()).isEqualTo(before);
    }

    /** Each limit that there is names itself, and what raises it. */
    @Test
    void theLimitIsNamed() throws Exception {
        List<String> heap = List.of("-Xmx64m");
        assertThat(ChildJvm.run(RegionMemoryChild.class, heap, "1", "" + 100 * MIB))
                .contains("bytes is 104857600")
                .contains("(-Xmx)")
                .contains("-Dloomverbs.maxAllocatedMemory=");
        List<String> direct = List.of("-Xmx64m", "-XX:MaxDirectMemorySize=20m");
        assertThat(ChildJvm.run(RegionMemoryChild.class, direct, "1", "" + 21 * MIB))
                .contains("of the 20971520 that")
                .contains("(-XX:MaxDirectMemorySize)")
                .contains("-Dloomverbs.maxAllocatedMemory=");
        List<String> own = List.of("-Xmx64m", "-Dloomverbs.maxAllocatedMemory=1k");
        assertThat(ChildJvm.run(RegionMemoryChild.class, own, "1", "1025"))
                .contains("of the 1024 that")
                .contains("(-Dloomverbs.maxAllocatedMemory)");
    }

    @Test
    void theLimitMayBeMoreThanTheHeap() throws Exception {
        List<String> more = List.of("-Xmx32m", "-Dloomverbs.maxAllocatedMemory=2g");
        assertThat(ChildJvm.run(RegionMemoryChild.class, more, "2", "" + 40 * MIB))
                .isEqualTo("2 regions, in use 0\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"lots", "0", "-1", "5x", ""})
    void aLimitThatIsNoneIsNamed(String bad) throws Exception {
        List<String> wrong = List.of("-Dloomverbs.maxAllocatedMemory=" + bad);
        assertThat(ChildJvm.run(RegionMemoryChild.class, wrong, "1", "1"))
                .contains("-Dloomverbs.maxAllocatedMemory is \"" + bad + "\"");
    }

    /** Threads that allocate, use and close at once get memory of their own. */
    @Test
    void threadsShareNothing() throws Exception {
        int threads = 8;
        CountDownLatch start = new CountDownLatch(threads);
        List<Fixture.Task<?>> tasks = new ArrayList<>();
        for (int t = 0; t < threads; t++) {
            byte mark = (byte) (t + 1);
            tasks.add(
                    f.start(
                            "user " + t,
                            () -> {
                                start.countDown();
                                start.await();
                                for (int i = 0; i < 400; i++) {
                                    use(4096L << i % 4, mark);
                                }
                                return true;
                            }));
        }
        for (Fixture.Task<?> task : tasks) {
            task.join();
        }
    }

    private void use(long bytes, byte mark) {
        try (MemoryRegion mr = f.pd.allocateMr(bytes, Access.LOCAL_WRITE)) {
            MemorySegment memory = mr.memory();
            assertThat(memory.get(JAVA_BYTE, 0)).isZero();
            assertThat(memory.get(JAVA_BYTE, bytes - 1)).isZero();
            memory.fill(mark);
            for (long at = 0; at < bytes; at += 64) {
                assertThat(memory.get(JAVA_BYTE, at)).isEqualTo(mark);
            }
        }
    }
}

package io.loomverbs.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.Device;
import io.loomverbs.Verbs;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** What is said where libibverbs cannot be used, and what is left alone. */
@Timeout(60)
class AvailabilityTest {
    private static final List<String> NATIVE = List.of("--enable-native-access=ALL-UNNAMED");

    /** Either there are devices, or there is a cause why not. */
    @Test
    void thereIsACauseOrADevice() {
        boolean found = Verbs.devices().stream().anyMatch(d -> !d.name().matches("soft0|strict0"));
        Throwable cause = Verbs.unavailabilityCause();
        if (!found) {
            assertThat(cause).isNotNull();
            assertThat(cause.getMessage()).isNotBlank();
        }
        if (!Files.exists(Path.of("/sys/class/infiniband_verbs")) && isInstalled()) {
            assertThat(cause)
                    .hasMessageContaining("the kernel has no user-space verbs")
                    .hasMessageContaining("ib_uverbs");
        }
        assertThat(Verbs.devices()).extracting(Device::name).contains("soft0");
    }

    @SuppressWarnings("restricted") // tests may
    private static boolean isInstalled() {
        try {
            SymbolLookup.libraryLookup("libibverbs.so.1", Arena.global());
            return true;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    /** Without native access nothing native is tried, so that the JVM does not warn. */
    @Test
    void nativeAccessIsAskedForByName() throws Exception {
        assertThat(AvailabilityChild.run(List.of(), List.of()))
                .isEqualTo(
                        """
                        devices [soft0, strict0]
                        cause native access is not enabled: start java with \
                        --enable-native-access=ALL-UNNAMED
                        """);
    }

    /** The error for an unknown device names the devices there are, and why there are no others. */
    @Test
    void aWrongNameIsAnsweredWithThoseThereAre() throws Exception {
        assertThat(AvailabilityChild.run(List.of(), List.of(), "mlx5_9"))
                .contains(
                        "name is \"mlx5_9\", but the devices are [soft0, strict0], none of"
                                + " libibverbs: ")
                .contains("start java with --enable-native-access=ALL-UNNAMED\n");
    }

    /** Also where libibverbs is not able to look, and says that the kernel has no verbs. */
    @Test
    void usedUpDescriptorsAreTheCause() throws Exception {
        assertThat(AvailabilityChild.run(List.of(), NATIVE, AvailabilityChild.WITHOUT_DESCRIPTORS))
                .contains("cause ibv_get_device_list: EMFILE; usually: too many open files");
    }

    /** A lookup of soft0 by name loads nothing native. */
    @Test
    void soft0LoadsNothingNative() throws Exception {
        List<String> options = List.of(NATIVE.getFirst(), "-Xlog:class+load");
        String loaded = AvailabilityChild.run(List.of(), options, "soft0");
        assertThat(loaded)
                .contains("opened soft0")
                .contains("io.loomverbs.internal.soft.SoftDevice ")
                .doesNotContain("io.loomverbs.internal.ffi")
                .doesNotContain("java.lang.foreign.Linker ")
                .doesNotContain("jdk.internal.foreign.abi.AbstractLinker");
        // The same look sees it where it is loaded.
        assertThat(AvailabilityChild.run(List.of(), options))
                .contains("io.loomverbs.internal.ffi.LibibverbsLibrary ");
    }
}

package io.loomverbs.api;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.util.List;

/** What is said if a piece is missing that a device needs. Takes it away: only in the guest. */
@Tag("guest")
@Timeout(120)
class MissingPiecesTest {
    private static final List<String> NATIVE = List.of("--enable-native-access=ALL-UNNAMED");

    /** A shell command, in a mount namespace of its own, then java. */
    private static List<String> after(String command) {
        return List.of("unshare", "-m", "sh", "-c", command + " && exec \"$@\"", "sh");
    }

    @Test
    void nothingIsMissing() throws Exception {
        assertThat(AvailabilityChild.run(List.of(), NATIVE))
                .contains("devices [soft0, strict0, rxe0]")
                .contains("cause none");
    }

    @Test
    void theLibrary() throws Exception {
        String hide =
                "for l in $(ls -d /usr/lib/*/libibverbs.so.1 /lib/*/libibverbs.so.1 2> /dev/null);"
                        + " do mount --bind /dev/null \"$(readlink -f \"$l\")\"; done";
        assertThat(AvailabilityChild.run(after(hide), NATIVE))
                .contains("devices [soft0, strict0]\n")
                .contains("libibverbs.so.1 cannot be loaded: install");
    }

    @Test
    void theDriver() throws Exception {
        String hide =
                "for d in /usr/lib/*/libibverbs /etc/libibverbs.d; do mount -t tmpfs t $d; done";
        assertThat(AvailabilityChild.run(after(hide), NATIVE))
                .contains("devices [soft0, strict0]\n")
                .contains("no driver for it: install the package");
    }

    @Test
    void theFile() throws Exception {
        List<String> hide = after("mount -t tmpfs t /dev/infiniband");
        assertThat(AvailabilityChild.run(hide, NATIVE))
                .contains("devices [soft0, strict0]\n")
                .contains("the kernel has rxe0, but /dev/infiniband/uverbs0 does not exist: in a");
        assertThat(AvailabilityChild.run(hide, NATIVE, "rxe0"))
                .contains(
                        "name is \"rxe0\", but the devices are [soft0, strict0], none of"
                                + " libibverbs: the")
                .contains("/dev/infiniband/uverbs0 does not exist");
    }

    @Test
    void thePermission() throws Exception {
        List<String> forbid =
                after(
                        "chmod 600 /dev/infiniband/uverbs0 && exec setpriv --reuid 65534"
                                + " --regid 65534 --clear-groups \"$@\"");
        assertThat(AvailabilityChild.run(forbid, NATIVE))
                .contains("devices [soft0, strict0, rxe0]")
                .contains("no permission to read and write /dev/infiniband/uverbs0");
        assertThat(AvailabilityChild.run(forbid, NATIVE, "rxe0"))
                .contains("ibv_open_device: EACCES: rxe0; no permission");
    }
}

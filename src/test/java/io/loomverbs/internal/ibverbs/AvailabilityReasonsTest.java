package io.loomverbs.internal.ibverbs;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.device.DeviceOps;
import io.loomverbs.internal.device.Errno;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Supplier;

/** Why a device cannot be had, with folders in the place of {@code /sys} and {@code /dev}. */
class AvailabilityReasonsTest {
    private static final int ENOSYS = Errno.ENOSYS;

    @TempDir private Path root;
    private Path kernel;
    private Path files;

    @BeforeEach
    void folders() {
        kernel = root.resolve("sys/class/infiniband_verbs");
        files = root.resolve("dev/infiniband");
    }

    private void kernelHas(String device, String uverbs) throws IOException {
        Path entry = Files.createDirectories(kernel.resolve(uverbs));
        Files.writeString(entry.resolve("ibdev"), device + "\n");
    }

    private void fileOf(String uverbs) throws IOException {
        Files.createDirectories(files);
        Files.createFile(files.resolve(uverbs));
    }

    private static DeviceOps device(String name, String uverbs) {
        return new IbvDevice(name, 1, 0, uverbs);
    }

    private Availability listing(DeviceOps... devices) {
        return new Availability(new Uverbs(root), () -> List.of(devices), () -> 0);
    }

    private Availability failing(int errno, int descriptorErrno) {
        Supplier<List<DeviceOps>> fails =
                () -> {
                    throw new DeviceException(errno, "no list");
                };
        return new Availability(new Uverbs(root), fails, () -> descriptorErrno);
    }

    @Test
    void theKernelHasNoVerbs() {
        assertThat(failing(ENOSYS, 0).cause())
                .hasMessageStartingWith("the kernel has no user-space verbs (" + kernel)
                .hasMessageContaining("load the module ib_uverbs");
    }

    @Test
    void theKernelHasNoDevice() throws Exception {
        Files.createDirectories(kernel);
        assertThat(listing().cause()).hasMessageContaining("but no RDMA device: load its driver");
    }

    /** The driver package is not what is missing in a container that was given no file. */
    @Test
    void aContainerWasGivenNoFile() throws Exception {
        kernelHas("mlx5_0", "uverbs0");
        kernelHas("mlx5_1", "uverbs1");
        assertThat(listing().cause())
                .hasMessage(
                        "the kernel has mlx5_0, but "
                                + files.resolve("uverbs0")
                                + " does not exist: in a container, give it the device; the kernel"
                                + " has mlx5_1, but "
                                + files.resolve("uverbs1")
                                + " does not exist: in a container, give it the device");
    }

    @Test
    void theDriverIsMissing() throws Exception {
        kernelHas("mlx5_0", "uverbs0");
        fileOf("uverbs0");
        assertThat(listing().cause())
                .hasMessageStartingWith(
                        "the kernel has mlx5_0, but libibverbs has no driver for it: install");
    }

    /** A device works, and the other is named with what it lacks. */
    @Test
    void aContainerWasGivenSomeFiles() throws Exception {
        kernelHas("mlx5_0", "uverbs0");
        kernelHas("mlx5_1", "uverbs1");
        fileOf("uverbs0");
        Availability some = listing(device("mlx5_0", "uverbs0"));
        assertThat(some.cause()).isNull();
        assertThat(some.missing())
                .containsExactly(
                        "the kernel has mlx5_1, but "
                                + files.resolve("uverbs1")
                                + " does not exist: in a container, give it the device");
    }

    /** One has gone meanwhile, or its name may not be read. */
    @Test
    void aDeviceThatCannotBeReadHidesNoOther() throws Exception {
        kernelHas("mlx5_0", "uverbs0");
        Files.createDirectories(kernel.resolve("uverbs1"));
        kernelHas("mlx5_2", "uverbs2");
        assertThat(new Uverbs(root).entries())
                .extracting(Uverbs.Entry::device)
                .containsExactly("mlx5_0", "mlx5_2");
    }

    /** libibverbs says ENOSYS whatever it cannot read, or finds nothing. */
    @Test
    void thereAreNoDescriptors() throws Exception {
        String message = "ibv_get_device_list: EMFILE; usually: too many open files: see ulimit -n";
        assertThat(failing(ENOSYS, Errno.EMFILE).cause()).hasMessage(message);
        kernelHas("mlx5_0", "uverbs0");
        Availability empty = new Availability(new Uverbs(root), List::of, () -> Errno.EMFILE);
        assertThat(empty.cause()).hasMessage(message);
    }

    /** Neither the library's ENOSYS nor its ENOENT is told of a device that could not be opened. */
    @Test
    void anOpenThatFailedSaysWhy() throws Exception {
        IbvDevice device = new IbvDevice("mlx5_0", 1, 0, "uverbs0");
        DeviceException noFile =
                listing().unopened(device, new DeviceException(Errno.ENOENT, "mlx5_0"));
        assertThat(noFile)
                .hasMessage(
                        "mlx5_0; "
                                + files.resolve("uverbs0")
                                + " does not exist: in a container, give it the device");
        assertThat(noFile.errno()).isEqualTo(Errno.ENOENT);
        DeviceException noDescriptors =
                failing(ENOSYS, Errno.EMFILE)
                        .unopened(device, new DeviceException(ENOSYS, "no list"));
        assertThat(noDescriptors.errno()).isEqualTo(Errno.EMFILE);
        fileOf("uverbs0");
        DeviceException other = new DeviceException(Errno.EIO, "mlx5_0");
        assertThat(listing().unopened(device, other)).isSameAs(other);
    }
}

package io.loomverbs.internal.ibverbs;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Processors of completion vectors, from files as the kernel has them. */
class VectorIrqsTest {
    @TempDir private Path dir;

    private Path device;
    private Path proc;

    @BeforeEach
    void files() throws IOException {
        device = dir.resolve("mlx5_0");
        proc = dir.resolve("proc");
        Files.createDirectories(device.resolve("device/msi_irqs"));
        Files.createDirectories(proc);
        // Two ports of one driver: the same names, but for the place on the bus.
        Files.writeString(
                proc.resolve("interrupts"),
                """
                           CPU0       CPU1
                  9:          0          4   IO-APIC    9-fasteoi   acpi
                 47:         10          0   PCI-MSIX-0000:17:00.1  2-edge      mlx5_comp1@pci:0000:17:00.1
                 57:         10          0   PCI-MSIX-0000:17:00.0  1-edge      mlx5_comp0@pci:0000:17:00.0
                 58:         11          2   PCI-MSIX-0000:17:00.0  2-edge      mlx5_comp1@pci:0000:17:00.0
                 59:         11          2   PCI-MSIX-0000:17:00.0  3-edge      mlx5_comp11@pci:0000:17:00.0
                 60:          1          2   PCI-MSIX-0000:17:00.0  0-edge      mlx5_async0@pci:0000:17:00.0
                NMI:          0          0   Non-maskable interrupts
                """);
        for (int irq : new int[] {57, 58, 59, 60}) {
            Files.createFile(device.resolve("device/msi_irqs/" + irq));
        }
        affinity(47, "effective_affinity_list", "5");
        affinity(57, "effective_affinity_list", "0");
        affinity(57, "smp_affinity_list", "0-63");
        affinity(58, "effective_affinity_list", "");
        affinity(58, "smp_affinity_list", "0-2,8,10-11");
        affinity(59, "smp_affinity_list", "none");
    }

    private void affinity(int irq, String file, String list) throws IOException {
        Path of = proc.resolve("irq/" + irq);
        Files.createDirectories(of);
        Files.writeString(of.resolve(file), list + "\n");
    }

    private int[] cpus(int vector) {
        return VectorIrqs.cpus(device, proc, vector).stream().toArray();
    }

    /** Where interrupts go is more than where they may go, if the kernel tells it. */
    @Test
    void theProcessorsOfAVector() {
        assertThat(cpus(0)).containsExactly(0);
        assertThat(cpus(1)).containsExactly(0, 1, 2, 8, 10, 11);
    }

    @Test
    void whatIsNotTold() {
        assertThat(cpus(11)).as("of another form").isEmpty();
        assertThat(cpus(2)).as("no such vector").isEmpty();
        assertThat(VectorIrqs.cpus(dir.resolve("rxe0"), proc, 0).isEmpty()).isTrue();
        assertThat(VectorIrqs.cpus(device, dir.resolve("gone"), 0).isEmpty()).isTrue();
        assertThat(VectorIrqs.cpus("no such device", 0).isEmpty()).isTrue();
    }

    /** As other drivers name them. */
    @Test
    void names() throws IOException {
        String[] names = {
            "irdma-ens801f0-CEQ-3", "hns-0000:7d:00.0-ceq-3", "bnxt_re-nq-3@pci:0000:af:00.0",
            "mlx4-comp-3@pci:0000:81:00.0", "efa-comp3@pci:0000:00:07.0", "irdma-CEQ-3@0000:17:00.0"
        };
        for (String name : names) {
            Files.writeString(
                    proc.resolve("interrupts"),
                    " 58:  1  2  PCI-MSIX-0000  2-edge  " + name + "\n");
            assertThat(cpus(3)).as(name).isNotEmpty();
            assertThat(cpus(1)).as(name).isEmpty();
        }
    }
}

package io.loomverbs.internal.ibverbs;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Which processors serve the interrupt of a completion vector. Verbs does not report this, and the
 * kernel only in part: {@code /sys} lists the interrupts of the device, and {@code
 * /proc/interrupts} has the names that its driver gave them. Those of completion vectors end with
 * the number of the vector, after {@code comp} (mlx5, mlx4, EFA), {@code ceq} (irdma, hns) or
 * {@code nq} (bnxt_re), and perhaps the device's place on the bus.
 */
final class VectorIrqs {
    private static final Path DEVICES = Path.of("/sys/class/infiniband");
    private static final Path PROC = Path.of("/proc");
    private static final Pattern NAME =
            Pattern.compile("(?:comp|ceq|nq)-?(\\d+)(?:@\\S*)?$", Pattern.CASE_INSENSITIVE);
    private static final Pattern LINE = Pattern.compile("\\s*(\\d+):.*\\s(\\S+)");

    private VectorIrqs() {}

    /** Empty if the system does not report them. */
    static BitSet cpus(String device, int vector) {
        return cpus(DEVICES.resolve(device), PROC, vector);
    }

    static BitSet cpus(Path device, Path proc, int vector) {
        String irq = irq(irqsOf(device), proc.resolve("interrupts"), vector);
        if (irq == null) {
            return new BitSet();
        }
        Path of = proc.resolve("irq").resolve(irq);
        String list = read(of.resolve("effective_affinity_list"));
        return list == null || list.isEmpty()
                ? parsed(read(of.resolve("smp_affinity_list")))
                : parsed(list);
    }

    private static Set<String> irqsOf(Path device) {
        try (Stream<Path> files = Files.list(device.resolve("device/msi_irqs"))) {
            return files.map(file -> file.getFileName().toString()).collect(Collectors.toSet());
        } catch (IOException e) {
            return Set.of(); // a device without interrupts, such as soft-RoCE
        }
    }

    private static @Nullable String irq(Set<String> ofDevice, Path interrupts, int vector) {
        if (ofDevice.isEmpty()) {
            return null;
        }
        String text = read(interrupts);
        for (String line : text == null ? new String[0] : text.split("\n", -1)) {
            Matcher parts = LINE.matcher(line.stripTrailing());
            if (parts.matches() && ofDevice.contains(parts.group(1))) {
                Matcher name = NAME.matcher(parts.group(2));
                if (name.find() && name.group(1).equals(Integer.toString(vector))) {
                    return parts.group(1);
                }
            }
        }
        return null;
    }

    /** A list such as {@code 0-3,8}. */
    private static BitSet parsed(@Nullable String list) {
        BitSet cpus = new BitSet();
        if (list == null || !list.matches("\\d{1,6}(-\\d{1,6})?(,\\d{1,6}(-\\d{1,6})?)*")) {
            return cpus;
        }
        for (String range : list.split(",", -1)) {
            String[] ends = range.split("-", -1);
            int first = Integer.parseInt(ends[0]);
            int last = Integer.parseInt(ends[ends.length - 1]);
            if (first <= last) {
                cpus.set(first, last + 1);
            }
        }
        return cpus;
    }

    private static @Nullable String read(Path file) {
        try {
            return Files.readString(file).strip();
        } catch (IOException e) {
            return null;
        }
    }
}

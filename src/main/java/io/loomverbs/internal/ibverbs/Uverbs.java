package io.loomverbs.internal.ibverbs;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The devices that the kernel offers to user space, and whether their files can be used. */
final class Uverbs {
    /** Of this machine. */
    static final Uverbs HERE = new Uverbs(Path.of("/"));

    private final Path kernel;
    private final Path files;

    /**
     * @param root the folder in which {@code sys} and {@code dev} are
     */
    Uverbs(Path root) {
        this.kernel = root.resolve("sys/class/infiniband_verbs");
        this.files = root.resolve("dev/infiniband");
    }

    /**
     * A device of the kernel.
     *
     * @param device its name for libibverbs, such as {@code mlx5_0}
     * @param file the name of its file, such as {@code uverbs0}
     */
    record Entry(String device, String file) {}

    /** Where the kernel lists its devices. */
    Path folder() {
        return kernel;
    }

    boolean isInKernel() {
        return Files.isDirectory(kernel);
    }

    /** All of them; none if they cannot be read. */
    List<Entry> entries() {
        List<Entry> entries = new ArrayList<>();
        try (DirectoryStream<Path> found = Files.newDirectoryStream(kernel, "uverbs*")) {
            for (Path entry : found) {
                String file = String.valueOf(entry.getFileName());
                entries.add(new Entry(Files.readString(entry.resolve("ibdev")).strip(), file));
            }
        } catch (IOException e) {
            // A device has gone meanwhile, or there are none.
        }
        entries.sort((a, b) -> a.file().compareTo(b.file()));
        return entries;
    }

    /** Why a device's file cannot be used, or null if it can. */
    @Nullable String trouble(String name) {
        Path file = files.resolve(name);
        if (!Files.exists(file)) {
            return file + " does not exist: in a container, give it the device";
        }
        if (!Files.isReadable(file) || !Files.isWritable(file)) {
            return "no permission to read and write "
                    + file
                    + ": be in the group that owns it, or in a container give it the device";
        }
        return null;
    }

    /** Whether the file of a device exists but may not be used. */
    boolean isForbidden(String name) {
        return Files.exists(files.resolve(name)) && trouble(name) != null;
    }
}

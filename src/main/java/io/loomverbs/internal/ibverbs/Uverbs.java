package io.loomverbs.internal.ibverbs;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
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
                Entry read = read(entry);
                if (read != null) {
                    entries.add(read);
                }
            }
        } catch (IOException | DirectoryIteratorException e) {
            // There are none, or no more can be read.
        }
        entries.sort((a, b) -> a.file().compareTo(b.file()));
        return entries;
    }

    /** Null if the device has gone meanwhile, or cannot be read: others can. */
    private static @Nullable Entry read(Path entry) {
        try {
            String device = Files.readString(entry.resolve("ibdev")).strip();
            return new Entry(device, String.valueOf(entry.getFileName()));
        } catch (IOException e) {
            return null;
        }
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

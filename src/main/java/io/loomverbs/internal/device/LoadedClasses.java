package io.loomverbs.internal.device;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.FileSystemNotFoundException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.List;
import java.util.stream.Stream;

/**
 * Loads all classes of a package at once if each is a separate file. Otherwise a class that is
 * first needed to handle a failure could not be loaded without free file descriptors, and {@code
 * NoClassDefFoundError} would replace the failure. In a jar, which stays open, and in a run-time
 * image, classes need no descriptor.
 */
public final class LoadedClasses {
    private static final String SUFFIX = ".class";

    private LoadedClasses() {}

    /** Loads the packages that these classes are in. */
    public static void besides(Class<?>... classes) {
        for (Class<?> one : classes) {
            Path folder = folder(one);
            if (folder != null) {
                loadAll(one, folder.resolve(one.getPackageName().replace('.', '/')));
            }
        }
    }

    private static void loadAll(Class<?> one, Path folder) {
        for (String name : namesIn(folder)) {
            try {
                Class.forName(one.getPackageName() + '.' + name, false, one.getClassLoader());
            } catch (ClassNotFoundException | LinkageError e) {
                // The failure is reported when the class is needed.
            }
        }
    }

    /** Where the classes are files; null if they are somewhere else. */
    private static @Nullable Path folder(Class<?> one) {
        CodeSource source = one.getProtectionDomain().getCodeSource();
        if (source == null || source.getLocation() == null) {
            return null;
        }
        try {
            Path path = Path.of(source.getLocation().toURI());
            return Files.isDirectory(path) ? path : null;
        } catch (URISyntaxException | IllegalArgumentException | FileSystemNotFoundException e) {
            return null;
        }
    }

    private static List<String> namesIn(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(SUFFIX))
                    .map(name -> name.substring(0, name.length() - SUFFIX.length()))
                    .toList();
        } catch (IOException | UncheckedIOException e) {
            return List.of();
        }
    }
}

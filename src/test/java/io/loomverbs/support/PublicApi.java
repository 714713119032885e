package io.loomverbs.support;

import io.loomverbs.Verbs;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Modifier;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** The public types of the exported package, as they were compiled. */
public final class PublicApi {
    private PublicApi() {}

    /** Where the library was compiled to. */
    public static Path root() {
        try {
            return Path.of(Verbs.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        } catch (URISyntaxException e) {
            throw new AssertionError(e);
        }
    }

    public static List<Class<?>> types() {
        try {
            Path classes = root().resolve("io/loomverbs");
            List<Class<?>> types = new ArrayList<>();
            try (Stream<Path> files = Files.list(classes)) {
                for (Path file : files.toList()) {
                    String name = file.getFileName().toString();
                    if (name.endsWith(".class") && !name.equals("package-info.class")) {
                        Class<?> type = Class.forName("io.loomverbs." + name.replace(".class", ""));
                        if (isExported(type)) {
                            types.add(type);
                        }
                    }
                }
            }
            types.sort(Comparator.comparing(Class::getName));
            return types;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (ClassNotFoundException e) {
            throw new AssertionError(e);
        }
    }

    private static boolean isExported(Class<?> type) {
        Class<?> outer = type.getDeclaringClass();
        return Modifier.isPublic(type.getModifiers())
                && !type.isAnonymousClass()
                && (outer == null || isExported(outer));
    }
}

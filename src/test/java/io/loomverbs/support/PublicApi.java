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

/** The public types of the exported packages, as they were compiled. */
public final class PublicApi {
    /** The packages that are exported. */
    public static final List<String> PACKAGES =
            List.of(
                    "io.loomverbs",
                    "io.loomverbs.cm",
                    "io.loomverbs.blocking",
                    "io.loomverbs.management",
                    "io.loomverbs.micrometer",
                    "io.loomverbs.testkit",
                    "io.loomverbs.testkit.junit");

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
        List<Class<?>> types = new ArrayList<>();
        for (String name : PACKAGES) {
            addTypes(name, types);
        }
        types.sort(Comparator.comparing(Class::getName));
        return types;
    }

    private static void addTypes(String exported, List<Class<?>> types) {
        Path classes = root().resolve(exported.replace('.', '/'));
        try (Stream<Path> files = Files.list(classes)) {
            for (Path file : files.toList()) {
                String name = file.getFileName().toString();
                if (name.endsWith(".class") && !name.equals("package-info.class")) {
                    Class<?> type = Class.forName(exported + "." + name.replace(".class", ""));
                    if (isExported(type)) {
                        types.add(type);
                    }
                }
            }
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

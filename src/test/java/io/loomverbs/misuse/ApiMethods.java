package io.loomverbs.misuse;

import io.loomverbs.ChannelStats;
import io.loomverbs.ContextStats;
import io.loomverbs.CqStats;
import io.loomverbs.DeviceAttributes;
import io.loomverbs.ExtendedDeviceAttributes;
import io.loomverbs.GidEntry;
import io.loomverbs.PortAttributes;
import io.loomverbs.WaitStats;
import io.loomverbs.WorkCompletion;
import io.loomverbs.support.PublicApi;

import org.jspecify.annotations.Nullable;

import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Parameter;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What is public, found by reflection: the methods and constructors of the API. */
public final class ApiMethods {
    /** Records that only the library makes: what it reports, not what it is told. */
    private static final Set<Class<?>> REPORTS =
            Set.of(
                    ChannelStats.class,
                    ContextStats.class,
                    CqStats.class,
                    DeviceAttributes.class,
                    ExtendedDeviceAttributes.class,
                    GidEntry.class,
                    PortAttributes.class,
                    WaitStats.class,
                    WorkCompletion.class);

    private ApiMethods() {}

    /** Every public method and constructor of the API that its own code makes what it is. */
    public static Map<String, Executable> all() {
        // Those are tried in FaultsMisuseTest, VerbsManagementTest and ContextMetersTest
        return of(
                type ->
                        !type.getPackageName().startsWith("io.loomverbs.testkit")
                                && !isAdapter(type));
    }

    /** Those that show a context to something else: JMX, Micrometer. */
    public static Map<String, Executable> ofTheAdapters() {
        return of(ApiMethods::isAdapter);
    }

    private static boolean isAdapter(Class<?> type) {
        return Set.of("io.loomverbs.management", "io.loomverbs.micrometer")
                .contains(type.getPackageName());
    }

    /** Those that tests of programs use. */
    public static Map<String, Executable> ofTheTestkit() {
        return of(type -> type.getPackageName().equals("io.loomverbs.testkit"));
    }

    private static Map<String, Executable> of(Predicate<Class<?>> wanted) {
        Map<String, Executable> all = new TreeMap<>();
        for (Class<?> type : PublicApi.types().stream().filter(wanted).toList()) {
            Stream.concat(Stream.of(type.getConstructors()), Stream.of(type.getDeclaredMethods()))
                    .filter(e -> Modifier.isPublic(e.getModifiers()) && !e.isSynthetic())
                    .filter(e -> !isOfTheLanguage(type, e))
                    .forEach(e -> all.put(name(e), e));
        }
        return all;
    }

    /** Those of objects that can be closed. */
    static Map<String, Executable> ofWhatCanBeClosed() {
        Map<String, Executable> methods = new LinkedHashMap<>(all());
        methods.values()
                .removeIf(
                        e ->
                                !AutoCloseable.class.isAssignableFrom(e.getDeclaringClass())
                                        || Modifier.isStatic(e.getModifiers()));
        return methods;
    }

    private static boolean isOfTheLanguage(Class<?> type, Executable e) {
        return e.getName().equals("toString")
                || (type.isEnum() && Set.of("values", "valueOf").contains(e.getName()))
                || (type.isRecord() && Set.of("equals", "hashCode").contains(e.getName()))
                || (REPORTS.contains(type) && e instanceof Constructor)
                || (type.isInterface() && Modifier.isAbstract(e.getModifiers()));
    }

    public static String name(Executable e) {
        String type = e.getDeclaringClass().getCanonicalName().replace("io.loomverbs.", "");
        String method = e instanceof Constructor ? "" : "." + e.getName();
        return type
                + method
                + Stream.of(e.getParameterTypes())
                        .map(Class::getSimpleName)
                        .collect(Collectors.joining(", ", "(", ")"));
    }

    static Object invoke(Executable e, Object target, Object... arguments) throws Exception {
        try {
            return e instanceof Method m
                    ? m.invoke(target, arguments)
                    : ((Constructor<?>) e).newInstance(arguments);
        } catch (InvocationTargetException thrown) {
            if (thrown.getCause() instanceof Exception cause) {
                throw cause;
            }
            throw new AssertionError("an error came out of " + e, thrown.getCause());
        }
    }

    public static boolean isNullable(Parameter parameter) {
        return parameter.getAnnotatedType().isAnnotationPresent(Nullable.class);
    }
}

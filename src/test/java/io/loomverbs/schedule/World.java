package io.loomverbs.schedule;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.FieldModel;
import java.lang.reflect.AccessFlag;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The classes of this project once more, rewritten, perhaps with a fault planted in them. Scenarios
 * and scheduler are loaded here too; {@link Player} is what both sides know.
 */
final class World extends ClassLoader {
    static {
        registerAsParallelCapable();
    }

    private static final String ROOT = "io.loomverbs.";
    private static final String TESTS = World.class.getPackageName() + ".";
    private static final Set<String> KNOWN_OUTSIDE =
            Set.of(Player.class.getName(), Outcome.class.getName());

    /** Fields that threads share, or hand on, and that are not volatile. */
    private static final Map<String, Set<String>> RACY =
            Map.of(
                    "io/loomverbs/CqEvent",
                    Set.of("next", "depth"),
                    "io/loomverbs/internal/soft/DeferredNotifications",
                    Set.of("firstFired", "secondFired", "rest"));

    /**
     * The memory of regions: shared by all contexts, so that a schedule would depend on what those
     * before it have left. Its locks are held for no scheduling point.
     */
    private static final List<String> AS_SHIPPED =
            List.of(
                    "io.loomverbs.AllocatedMemory",
                    "io.loomverbs.internal.device.SharedArenas",
                    "io.loomverbs.internal.ibverbs.MappedMemory");

    private final Optional<Fault> fault;
    private final Rewriter rewriter = new Rewriter(getParent(), this::isShared);
    private final Map<String, Set<String>> volatiles = new HashMap<>();

    private World(Optional<Fault> fault) {
        super(World.class.getClassLoader());
        this.fault = fault;
    }

    /** What ships. */
    static Player shipped() {
        return new World(Optional.empty()).player();
    }

    static Player with(Fault fault) {
        return new World(Optional.of(fault)).player();
    }

    private Player player() {
        try {
            return Class.forName(SchedulePlayer.class.getName(), true, this)
                    .asSubclass(Player.class)
                    .getDeclaredConstructor()
                    .newInstance();
        } catch (ReflectiveOperationException e) {
            throw new LinkageError(e.getMessage(), e);
        }
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
        if (!name.startsWith(ROOT) || KNOWN_OUTSIDE.contains(name)) {
            return super.loadClass(name, resolve);
        }
        synchronized (getClassLoadingLock(name)) {
            Class<?> loaded = findLoadedClass(name);
            return loaded != null ? loaded : define(name);
        }
    }

    private Class<?> define(String name) throws ClassNotFoundException {
        byte[] bytes = bytesOf(name.replace('.', '/'));
        if (bytes == null) {
            throw new ClassNotFoundException(name);
        }
        if (!name.startsWith(TESTS) && AS_SHIPPED.stream().noneMatch(name::startsWith)) {
            Optional<Fault> here = fault.filter(f -> f.isIn(name));
            bytes = rewriter.rewrite(bytes, here);
        }
        return defineClass(name, bytes, 0, bytes.length);
    }

    private byte[] bytesOf(String internalName) {
        try (InputStream in = getParent().getResourceAsStream(internalName + ".class")) {
            return in == null ? null : in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private boolean isShared(String owner, String field) {
        return owner.startsWith("io/loomverbs/")
                && (RACY.getOrDefault(owner, Set.of()).contains(field)
                        || volatiles.computeIfAbsent(owner, this::volatilesOf).contains(field));
    }

    private Set<String> volatilesOf(String owner) {
        List<FieldModel> fields = ClassFile.of().parse(bytesOf(owner)).fields();
        return fields.stream()
                .filter(field -> field.flags().has(AccessFlag.VOLATILE))
                .map(field -> field.fieldName().stringValue())
                .collect(Collectors.toSet());
    }
}

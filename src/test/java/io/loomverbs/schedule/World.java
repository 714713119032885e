package io.loomverbs.schedule;

import io.loomverbs.fault.Fault;
import io.loomverbs.fault.Planted;
import io.loomverbs.fault.SecondCopy;

import java.lang.classfile.ClassModel;
import java.lang.classfile.FieldModel;
import java.lang.classfile.constantpool.ClassEntry;
import java.lang.reflect.AccessFlag;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The classes of this project once more, rewritten, perhaps with a fault planted in them. Scenarios
 * and scheduler are loaded here too; {@link Player} is what both sides know.
 */
final class World extends SecondCopy {
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
     * before it have left. Its locks are held for no scheduling point. And what only diagnoses.
     */
    private static final List<String> AS_SHIPPED =
            List.of(
                    "io.loomverbs.AllocatedMemory",
                    "io.loomverbs.HandlerCalls",
                    "io.loomverbs.LeakDetection",
                    "io.loomverbs.internal.device.SharedArenas",
                    "io.loomverbs.internal.ibverbs.MappedMemory");

    private final Rewriter rewriter = new Rewriter(classFile, this::isShared);
    private final Map<String, Set<String>> volatiles = new HashMap<>();

    private World(Optional<Fault> fault) {
        super(fault, KNOWN_OUTSIDE);
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
    protected byte[] change(String name, byte[] bytes) {
        boolean rewritten =
                !name.startsWith(TESTS)
                        && !name.equals(Planted.class.getName())
                        && AS_SHIPPED.stream().noneMatch(name::startsWith);
        return rewritten ? rewriter.rewrite(bytes) : bytes;
    }

    private boolean isShared(String owner, String field) {
        return owner.startsWith("io/loomverbs/")
                && (RACY.getOrDefault(owner, Set.of()).contains(field)
                        || volatiles.computeIfAbsent(owner, this::volatilesOf).contains(field));
    }

    /** Inherited ones too: code may name them as fields of a subclass. */
    private Set<String> volatilesOf(String owner) {
        Set<String> names = new HashSet<>();
        for (String name = owner; name.startsWith("io/loomverbs/"); ) {
            ClassModel model = classFile.parse(bytesOf(name));
            for (FieldModel field : model.fields()) {
                if (field.flags().has(AccessFlag.VOLATILE)) {
                    names.add(field.fieldName().stringValue());
                }
            }
            name = model.superclass().map(ClassEntry::asInternalName).orElse("");
        }
        return names;
    }
}

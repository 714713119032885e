package io.loomverbs.fault;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.CodeElement;
import java.lang.classfile.CodeTransform;
import java.lang.classfile.MethodModel;
import java.lang.classfile.MethodTransform;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A defect that can be planted into a shipped class.
 *
 * @param name what is wrong
 * @param scenarios the seeded schedules that must find it
 * @param edits what is changed; each must find a place
 */
public record Fault(String name, List<String> scenarios, List<Edit> edits) {
    /** What the failure says of a fault that cannot be planted. */
    public static final String NO_PLACE = " has no place there any more";

    /**
     * One change.
     *
     * @param className the class, without its package
     * @param method the method, in all its overloads
     * @param change as {@link Change} reads it
     */
    record Edit(String className, String method, String change) {}

    /** All that tests must find: {@code faults.txt} has them, and says how they are written. */
    public static List<Fault> all() {
        try (InputStream in = Fault.class.getResourceAsStream("faults.txt")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .filter(line -> !line.isEmpty() && !line.startsWith("#"))
                    .map(Fault::parse)
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Fault parse(String line) {
        String[] parts = line.split(": ", 2);
        String[] names = parts[0].split(" \\[|]", 3);
        List<Edit> edits = new ArrayList<>();
        for (String place : parts[1].split("; ", -1)) {
            String[] words = place.split("[. ]", 3);
            for (String change : words[2].split(", ", -1)) {
                edits.add(new Edit(words[0], words[1], change));
            }
        }
        List<String> scenarios = names.length == 1 ? List.of() : List.of(names[1].split(" ", -1));
        return new Fault(names[0], scenarios, edits);
    }

    @Override
    public String toString() {
        return name;
    }

    /**
     * The class of that binary name with its part of the fault, if any, in it.
     *
     * @throws AssertionError if the fault does not fit the class
     */
    byte[] plant(ClassFile classFile, String binaryName, byte[] original) {
        List<Edit> here =
                edits.stream().filter(e -> binaryName.endsWith("." + e.className)).toList();
        if (here.isEmpty()) {
            return original;
        }
        Set<Edit> missing = new LinkedHashSet<>(here);
        ClassTransform planting =
                (builder, element) -> {
                    if (element instanceof MethodModel method && method.code().isPresent()) {
                        CodeTransform planter = new Planter(method, here, missing);
                        builder.transformMethod(method, MethodTransform.transformingCode(planter));
                    } else {
                        builder.with(element);
                    }
                };
        byte[] bytes = classFile.transformClass(classFile.parse(original), planting);
        if (!missing.isEmpty()) {
            throw new AssertionError(this + NO_PLACE + ": " + missing);
        }
        return bytes;
    }

    /** Change one method; what finds a place is missing no more. */
    private static final class Planter implements CodeTransform {
        private final MethodModel method;
        private final Set<Edit> missing;
        private final Map<Edit, Change> changes = new LinkedHashMap<>();

        Planter(MethodModel method, List<Edit> edits, Set<Edit> missing) {
            this.method = method;
            this.missing = missing;
            edits.stream()
                    .filter(edit -> method.methodName().equalsString(edit.method))
                    .forEach(edit -> changes.put(edit, Change.parse(edit.change)));
        }

        @Override
        public void atStart(CodeBuilder code) {
            changes.values().forEach(c -> c.begin().accept(new Site(code, method, null)));
        }

        @Override
        public void accept(CodeBuilder code, CodeElement element) {
            Site site = new Site(code, method, element);
            for (Map.Entry<Edit, Change> each : changes.entrySet()) {
                if (each.getValue().place().test(site)) {
                    each.getValue().instead().accept(site);
                    missing.remove(each.getKey());
                    return;
                }
            }
            code.with(element);
        }
    }
}

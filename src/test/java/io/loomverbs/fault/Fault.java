package io.loomverbs.fault;

import io.loomverbs.fault.Change.Defect;

import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.CodeElement;
import java.lang.classfile.CodeTransform;
import java.lang.classfile.MethodModel;
import java.lang.classfile.MethodTransform;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A defect that can be planted into a shipped class.
 *
 * @param name what is wrong
 * @param scenarios the seeded schedules that must find it
 * @param edits what is changed; each must find a place
 */
public record Fault(String name, List<String> scenarios, List<Edit> edits) {
    private static final String ROOT = "io.loomverbs.";

    /** What the failure says of a fault that cannot be planted. */
    public static final String NO_PLACE = " has no place there any more";

    /**
     * One change.
     *
     * @param className the class, below {@code io.loomverbs}
     * @param method the method, in all its overloads
     */
    record Edit(String className, String method, Change change) {}

    @Override
    public String toString() {
        return name;
    }

    public boolean isIn(String binaryName) {
        return edits.stream().anyMatch(edit -> binaryName.equals(ROOT + edit.className));
    }

    /**
     * The class with its part of the fault in it.
     *
     * @throws AssertionError if the fault does not fit the class
     */
    public byte[] plant(ClassFile classFile, byte[] original) {
        ClassModel model = classFile.parse(original);
        String binaryName = model.thisClass().asInternalName().replace('/', '.');
        Map<Edit, Integer> places = new LinkedHashMap<>();
        edits.stream()
                .filter(edit -> binaryName.equals(ROOT + edit.className))
                .forEach(edit -> places.put(edit, 0));
        byte[] bytes =
                classFile.transformClass(
                        model,
                        (builder, element) -> {
                            if (element instanceof MethodModel method
                                    && method.code().isPresent()) {
                                builder.transformMethod(
                                        method,
                                        MethodTransform.transformingCode(
                                                new Planter(method, places)));
                            } else {
                                builder.with(element);
                            }
                        });
        places.forEach(
                (edit, count) -> {
                    if (count == 0) {
                        throw new AssertionError(
                                name + NO_PLACE + ": " + edit.className + "." + edit.method);
                    }
                });
        return bytes;
    }

    /** Changes one method, and counts the places. */
    private static final class Planter implements CodeTransform {
        private final MethodModel method;
        private final Map<Edit, Integer> places;
        private final Map<Edit, Defect> defects = new LinkedHashMap<>();
        private final Map<Edit, Integer> seen = new HashMap<>();

        Planter(MethodModel method, Map<Edit, Integer> places) {
            this.method = method;
            this.places = places;
            places.keySet().stream()
                    .filter(edit -> method.methodName().equalsString(edit.method))
                    .forEach(edit -> defects.put(edit, edit.change.defect().get()));
        }

        @Override
        public void atStart(CodeBuilder code) {
            defects.values().forEach(defect -> defect.begin(new Site(code, method, null)));
        }

        @Override
        public void accept(CodeBuilder code, CodeElement element) {
            Site site = new Site(code, method, element);
            for (Map.Entry<Edit, Defect> each : defects.entrySet()) {
                int number = each.getKey().change.number();
                if (each.getValue().isAbout(site)
                        && (number == 0 || seen.merge(each.getKey(), 1, Integer::sum) == number)) {
                    each.getValue().write(site);
                    places.merge(each.getKey(), 1, Integer::sum);
                    return;
                }
            }
            code.with(element);
        }
    }
}

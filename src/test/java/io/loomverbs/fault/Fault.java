package io.loomverbs.fault;

import io.loomverbs.fault.Change.Step;

import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.CodeElement;
import java.lang.classfile.CodeTransform;
import java.lang.classfile.MethodModel;
import java.lang.classfile.MethodTransform;
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
    record Edit(String className, String method, Change change) {
        private boolean isIn(MethodModel model) {
            return model.methodName().equalsString(method);
        }
    }

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
        for (Edit edit : edits) {
            if (binaryName.equals(ROOT + edit.className)) {
                places.put(edit, 0);
            }
        }
        byte[] bytes =
                classFile.transformClass(
                        model,
                        (builder, element) -> {
                            if (element instanceof MethodModel method
                                    && method.code().isPresent()
                                    && places.keySet().stream().anyMatch(e -> e.isIn(method))) {
                                builder.transformMethod(
                                        method,
                                        MethodTransform.transformingCode(defect(method, places)));
                            } else {
                                builder.with(element);
                            }
                        });
        places.forEach(
                (edit, count) -> {
                    if (count == 0) {
                        throw new AssertionError(
                                edit.className
                                        + "."
                                        + edit.method
                                        + " has changed: "
                                        + name
                                        + NO_PLACE);
                    }
                });
        return bytes;
    }

    private static CodeTransform defect(MethodModel method, Map<Edit, Integer> places) {
        Map<Edit, Step> steps = new LinkedHashMap<>();
        for (Edit edit : places.keySet()) {
            if (edit.isIn(method)) {
                steps.put(edit, edit.change.in(method));
            }
        }
        return new CodeTransform() {
            @Override
            public void atStart(CodeBuilder code) {
                steps.values().forEach(step -> step.begin(code));
            }

            @Override
            public void accept(CodeBuilder code, CodeElement element) {
                for (Map.Entry<Edit, Step> step : steps.entrySet()) {
                    if (step.getValue().replace(code, element)) {
                        places.merge(step.getKey(), 1, Integer::sum);
                        return;
                    }
                }
                code.with(element);
            }
        };
    }
}

package io.loomverbs.schedule;

import java.lang.classfile.ClassFile;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.CodeElement;
import java.lang.classfile.CodeTransform;
import java.lang.classfile.MethodModel;
import java.lang.classfile.MethodTransform;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A defect that is planted into one method of a shipped class, to see that it is found.
 *
 * @param className the class, below {@code io.loomverbs}
 * @param method its method, of whatever overload
 * @param scenario the scenario that is to find it
 */
record Fault(String name, String scenario, String className, String method, Change change) {
    private static final String ROOT = "io.loomverbs.";

    /** What a failure says that is not the fault's: a player takes it for one all the same. */
    static final String NO_PLACE = " has no place there any more";

    /** What happens to the code; answers whether it has changed the element, or left it alone. */
    @FunctionalInterface
    interface Change {
        boolean apply(CodeBuilder code, CodeElement element);

        default Change or(Change other) {
            return (code, element) -> apply(code, element) || other.apply(code, element);
        }
    }

    @Override
    public String toString() {
        return name + " (" + className + "." + method + ", " + scenario + ")";
    }

    boolean isIn(String binaryName) {
        return binaryName.equals(ROOT + className);
    }

    byte[] plant(ClassFile classFile, byte[] original) {
        AtomicInteger changed = new AtomicInteger();
        CodeTransform defect =
                (code, element) -> {
                    if (change.apply(code, element)) {
                        changed.incrementAndGet();
                    } else {
                        code.with(element);
                    }
                };
        byte[] bytes =
                classFile.transformClass(
                        classFile.parse(original),
                        (builder, element) -> {
                            if (element instanceof MethodModel m
                                    && m.methodName().equalsString(method)) {
                                builder.transformMethod(
                                        m, MethodTransform.transformingCode(defect));
                            } else {
                                builder.with(element);
                            }
                        });
        if (changed.get() == 0) {
            throw new AssertionError("the shipped code has changed, and " + name + NO_PLACE);
        }
        return bytes;
    }
}

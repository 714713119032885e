package io.loomverbs.fault;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.CodeElement;
import java.lang.classfile.MethodModel;

/** What is wrong in a method; see {@link Changes}. */
@FunctionalInterface
interface Change {
    /** Begins to change one method. */
    Step in(MethodModel method);

    /** Changes the code of one method, element by element. */
    @FunctionalInterface
    interface Step {
        /** Writes something else than this element, or answers false and writes nothing. */
        boolean replace(CodeBuilder code, CodeElement element);

        /** Writes what comes before the first element. */
        default void begin(CodeBuilder code) {}
    }
}

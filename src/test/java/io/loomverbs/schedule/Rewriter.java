package io.loomverbs.schedule;

import java.lang.classfile.ClassBuilder;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.CodeElement;
import java.lang.classfile.CodeTransform;
import java.lang.classfile.MethodModel;
import java.lang.classfile.MethodTransform;
import java.lang.classfile.TypeKind;
import java.lang.classfile.instruction.ReturnInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.lang.reflect.AccessFlag;
import java.util.function.BiPredicate;

/**
 * Writes scheduling points into a shipped class, and takes away from it what no seed decides: real
 * time, monitors, threads of the JDK's own scheduler.
 *
 * <p>Class initialisers are left as they are. A virtual thread cannot give up its turn in one.
 */
final class Rewriter {
    private static final ClassDesc MONITORS = ClassDesc.of(Monitors.class.getName());
    private static final ClassDesc POINT = ClassDesc.of(SchedulePoint.class.getName());
    private static final MethodTypeDesc ON_OBJECT =
            MethodTypeDesc.of(ConstantDescs.CD_void, ConstantDescs.CD_Object);

    private final ClassFile classFile;
    private final BiPredicate<String, String> isShared;

    /**
     * @param isShared whether a field is one that threads share, given the internal name of its
     *     class and its own
     */
    Rewriter(ClassFile classFile, BiPredicate<String, String> isShared) {
        this.classFile = classFile;
        this.isShared = isShared;
    }

    byte[] rewrite(byte[] bytes) {
        ClassModel model = classFile.parse(bytes);
        return classFile.transformClass(
                model,
                (builder, element) -> {
                    if (element instanceof MethodModel method
                            && method.code().isPresent()
                            && !method.methodName().equalsString(ConstantDescs.CLASS_INIT_NAME)) {
                        rewrite(builder, model, method);
                    } else {
                        builder.with(element);
                    }
                });
    }

    private void rewrite(ClassBuilder builder, ClassModel model, MethodModel method) {
        PointInserter inserter = new PointInserter(isShared);
        CodeTransform points =
                isMade(model, method) ? inserter.andThen(Rewriter::tellMade) : inserter;
        if (method.flags().has(AccessFlag.SYNCHRONIZED)) {
            String inner = method.methodName().stringValue() + "$unlocked";
            builder.withMethod(
                    inner,
                    method.methodTypeSymbol(),
                    ClassFile.ACC_PRIVATE | ClassFile.ACC_SYNTHETIC,
                    to -> to.transformCode(method.code().orElseThrow(), points));
            lock(builder, model.thisClass().asSymbol(), method, inner);
        } else {
            builder.transformMethod(method, MethodTransform.transformingCode(points));
        }
    }

    /** A synchronized method becomes one that takes a lock and calls what it used to be. */
    private static void lock(
            ClassBuilder builder, ClassDesc owner, MethodModel method, String inner) {
        if (method.flags().has(AccessFlag.STATIC)) {
            throw new AssertionError("a static synchronized method: " + method);
        }
        MethodTypeDesc type = method.methodTypeSymbol();
        builder.withMethodBody(
                method.methodName().stringValue(),
                type,
                method.flags().flagsMask() & ~ClassFile.ACC_SYNCHRONIZED,
                code -> {
                    onThis(code, "enter");
                    code.trying(
                            inside -> {
                                inside.aload(0);
                                for (int i = 0; i < type.parameterCount(); i++) {
                                    inside.loadLocal(
                                            TypeKind.from(type.parameterType(i)),
                                            inside.parameterSlot(i));
                                }
                                inside.invokevirtual(owner, inner, type);
                                onThis(inside, "exit");
                                inside.return_(TypeKind.from(type.returnType()));
                            },
                            handlers ->
                                    handlers.catchingAll(
                                            caught -> {
                                                onThis(caught, "exit");
                                                caught.athrow();
                                            }));
                });
    }

    private static boolean isMade(ClassModel model, MethodModel method) {
        return method.methodName().equalsString(ConstantDescs.INIT_NAME)
                && Bookkeeping.knows(model.thisClass().asInternalName().replace('/', '.'));
    }

    /** At the end of a constructor. */
    private static void tellMade(CodeBuilder code, CodeElement element) {
        if (element instanceof ReturnInstruction) {
            code.aload(0).invokestatic(POINT, "made", ON_OBJECT);
        }
        code.with(element);
    }

    private static void onThis(CodeBuilder code, String what) {
        code.aload(0).invokestatic(MONITORS, what, ON_OBJECT);
    }
}

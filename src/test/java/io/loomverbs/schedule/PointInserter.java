package io.loomverbs.schedule;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.CodeElement;
import java.lang.classfile.CodeTransform;
import java.lang.classfile.Opcode;
import java.lang.classfile.instruction.ConstantInstruction;
import java.lang.classfile.instruction.FieldInstruction;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.classfile.instruction.MonitorInstruction;
import java.lang.classfile.instruction.NewObjectInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.util.Set;
import java.util.function.BiPredicate;

/** Rewrites one method: which instructions get a scheduling point, which are replaced. */
final class PointInserter implements CodeTransform {
    private static final ClassDesc POINT = ClassDesc.of(SchedulePoint.class.getName());
    private static final ClassDesc MONITORS = ClassDesc.of(Monitors.class.getName());
    private static final ClassDesc LOCK = ClassDesc.of(ScheduledLock.class.getName());
    private static final MethodTypeDesc NOTHING = MethodTypeDesc.of(ConstantDescs.CD_void);
    private static final MethodTypeDesc ON_OBJECT =
            MethodTypeDesc.of(ConstantDescs.CD_void, ConstantDescs.CD_Object);

    /** Locks that are made anew as {@link ScheduledLock}s. */
    private static final Set<String> LOCKS =
            Set.of(
                    "java/util/concurrent/locks/ReentrantLock",
                    "io/loomverbs/internal/event/BriefLock");

    /** What {@code Ledger} says for how long a closer sleeps between two looks. */
    private static final long LOOK_NANOS = 1_000_000_000L;

    /** Instance methods that touch what threads share. */
    private static final Set<String> SHARED =
            Set.of(
                    "io/loomverbs/internal/soft/Mutex",
                    "java/lang/invoke/VarHandle",
                    "java/util/concurrent/atomic/AtomicBoolean",
                    "java/util/concurrent/atomic/AtomicInteger",
                    "java/util/concurrent/atomic/AtomicLong",
                    "java/util/concurrent/atomic/AtomicReference");

    /** Calls of the JDK for which {@link SchedulePoint} has a method of the same name. */
    private static final Set<String> REPLACED =
            Set.of(
                    "java/lang/System.nanoTime",
                    "java/lang/foreign/Arena.ofAuto",
                    "java/lang/Thread.ofVirtual",
                    "java/lang/Thread.threadId",
                    "java/lang/Thread$Builder$OfVirtual.start",
                    "java/lang/Thread$Builder$OfPlatform.unstarted",
                    "java/lang/Thread$Builder$OfVirtual.unstarted",
                    "java/util/concurrent/ScheduledThreadPoolExecutor.schedule",
                    "java/util/concurrent/ScheduledThreadPoolExecutor.execute",
                    "java/util/concurrent/ScheduledThreadPoolExecutor.prestartCoreThread",
                    "java/util/concurrent/locks/LockSupport.park",
                    "java/util/concurrent/locks/LockSupport.parkNanos",
                    "java/util/concurrent/locks/LockSupport.unpark");

    /** What a thread does that waits for another without parking. */
    private static final Set<String> TURNS = Set.of("yield", "onSpinWait");

    private static final Set<String> INTERRUPTS =
            Set.of("interrupt", "interrupted", "isInterrupted");

    private final BiPredicate<String, String> isShared;

    PointInserter(BiPredicate<String, String> isShared) {
        this.isShared = isShared;
    }

    @Override
    public void accept(CodeBuilder code, CodeElement element) {
        switch (element) {
            case InvokeInstruction call -> call(code, call);
            case FieldInstruction access -> {
                if (isShared.test(access.owner().asInternalName(), access.name().stringValue())) {
                    point(code);
                }
                code.with(access);
            }
            case MonitorInstruction monitor ->
                    code.invokestatic(
                            MONITORS,
                            monitor.opcode() == Opcode.MONITORENTER ? "enter" : "exit",
                            ON_OBJECT);
            case NewObjectInstruction made when LOCKS.contains(made.className().asInternalName()) ->
                    code.new_(LOCK);
            case ConstantInstruction constant
                    when Long.valueOf(LOOK_NANOS).equals(constant.constantValue()) ->
                    code.invokestatic(POINT, "lookNanos", MethodTypeDesc.of(ConstantDescs.CD_long));
            default -> code.with(element);
        }
    }

    private static void call(CodeBuilder code, InvokeInstruction call) {
        String owner = call.owner().asInternalName();
        String name = call.name().stringValue();
        if (REPLACED.contains(owner + "." + name)) {
            MethodTypeDesc type = call.typeSymbol();
            if (call.opcode() != Opcode.INVOKESTATIC) {
                type = type.insertParameterTypes(0, call.owner().asSymbol());
            }
            code.invokestatic(POINT, name, type);
        } else if (owner.equals("java/lang/Thread") && TURNS.contains(name)) {
            code.invokestatic(POINT, "spin", NOTHING);
        } else if (LOCKS.contains(owner)
                && name.equals(ConstantDescs.INIT_NAME)
                && call.typeSymbol().equals(NOTHING)) {
            code.invokespecial(LOCK, ConstantDescs.INIT_NAME, NOTHING);
        } else {
            if (touches(owner, name)) {
                point(code);
            }
            code.with(call);
        }
    }

    private static boolean touches(String owner, String name) {
        return (SHARED.contains(owner) && !name.equals(ConstantDescs.INIT_NAME))
                || (owner.equals("java/lang/Thread") && INTERRUPTS.contains(name));
    }

    private static void point(CodeBuilder code) {
        code.invokestatic(POINT, "point", NOTHING);
    }
}

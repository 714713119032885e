package io.loomverbs.fault;

import io.loomverbs.fault.Change.Step;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.CodeElement;
import java.lang.classfile.MethodModel;
import java.lang.classfile.Opcode;
import java.lang.classfile.TypeKind;
import java.lang.classfile.instruction.ConstantInstruction;
import java.lang.classfile.instruction.FieldInstruction;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.classfile.instruction.ReturnInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.util.List;
import java.util.Set;

/** Small things that go wrong in code. Calls and fields are found by their names. */
final class Changes {
    private static final ClassDesc PLANTED = ClassDesc.of(Planted.class.getName());
    private static final MethodTypeDesc NOTHING = MethodTypeDesc.of(ConstantDescs.CD_void);

    private static final Set<String> LOCKING = Set.of("lock", "unlock");

    private Changes() {}

    // *** Calls ***

    /** A call is left out; what it would have answered is 0, false or null. */
    static Change without(String call) {
        return answering(call, 0);
    }

    /** Like {@link #without(String)}, but only the call of that number, from 1 on. */
    static Change without(String call, int number) {
        return numbered(number, call, (code, invoke) -> leaveOut(code, invoke, 0));
    }

    /** A call is left out, and {@code answer} is what it is taken to have answered. */
    static Change answering(String call, int answer) {
        return atCalls(call, (code, invoke) -> leaveOut(code, invoke, answer));
    }

    /** What is done under a lock is done without it. */
    static Change unlocked() {
        return method ->
                (code, element) -> {
                    if (!(element instanceof InvokeInstruction invoke)
                            || !LOCKING.contains(invoke.name().stringValue())) {
                        return false;
                    }
                    leaveOut(code, invoke, 0);
                    return true;
                };
    }

    /** A call is left out if the thread is interrupted. */
    static Change withoutIfInterrupted(String call) {
        ClassDesc thread = ClassDesc.of("java.lang.Thread");
        return atCalls(
                call,
                (code, invoke) ->
                        code.invokestatic(thread, "currentThread", MethodTypeDesc.of(thread))
                                .invokevirtual(
                                        thread,
                                        "isInterrupted",
                                        MethodTypeDesc.of(ConstantDescs.CD_boolean))
                                .ifThenElse(
                                        interrupted -> leaveOut(interrupted, invoke, 0),
                                        otherwise -> otherwise.with(invoke)));
    }

    /** The method returns 0, false or null if a call answers anything else. */
    static Change returningIf(String call) {
        return method ->
                calls(
                        call,
                        (code, invoke) -> {
                            code.with(invoke).dup();
                            code.ifThen(returning -> returnZero(returning, method));
                        });
    }

    /** A while passes before a call, or before a field is written. */
    static Change pauseBefore(String name) {
        return method ->
                (code, element) -> {
                    if (!isCall(element, name) && !isAccess(element, Opcode.PUTFIELD, name)) {
                        return false;
                    }
                    pause(code).with(element);
                    return true;
                };
    }

    /** Before a call of a ledger a CQ's events are listed again. */
    static Change relistBefore(String call) {
        ClassDesc cq = ClassDesc.of("io.loomverbs.internal.event.QueuedCq");
        ClassDesc queue = ClassDesc.of("io.loomverbs.internal.event.EventQueue");
        return atCalls(
                call,
                (code, invoke) -> {
                    code.aload(0).instanceOf(cq);
                    code.ifThen(
                            relisting -> {
                                relisting.aload(0).checkcast(cq).dup();
                                relisting.invokevirtual(cq, "queue", MethodTypeDesc.of(queue));
                                relisting
                                        .swap()
                                        .invokevirtual(
                                                queue,
                                                "relist",
                                                MethodTypeDesc.of(ConstantDescs.CD_void, cq));
                                pause(relisting);
                            });
                    code.with(invoke);
                });
    }

    /** The lock {@code lock} is let go for a while before a call. */
    static Change letGoBefore(String call) {
        return method ->
                calls(
                        call,
                        (code, invoke) -> {
                            onLock(code, method, "unlock");
                            onLock(pause(code), method, "lock");
                            code.with(invoke);
                        });
    }

    private static void onLock(CodeBuilder code, MethodModel method, String what) {
        load(code, method, "lock").invokevirtual(fieldOf(method, "lock"), what, NOTHING);
    }

    /** What an object in a field answers is asked for at the beginning of the method only. */
    static Change askedFirst(String object, String call) {
        return method ->
                new Step() {
                    private int kept = -1;

                    @Override
                    public void begin(CodeBuilder code) {
                        InvokeInstruction asked = callIn(method, call);
                        TypeKind kind = TypeKind.from(asked.typeSymbol().returnType());
                        kept = code.allocateLocal(kind);
                        load(code, method, object).with(asked);
                        pause(code.storeLocal(kind, kept));
                    }

                    @Override
                    public boolean replace(CodeBuilder code, CodeElement element) {
                        if (!isCall(element, call)) {
                            return false;
                        }
                        InvokeInstruction asked = (InvokeInstruction) element;
                        TypeKind kind = TypeKind.from(asked.typeSymbol().returnType());
                        code.pop().loadLocal(kind, kept);
                        return true;
                    }
                };
    }

    /** Before a call an object in a field is told, by a call without arguments. */
    static Change tellFirst(String call, String object, String told) {
        return method ->
                calls(
                        call,
                        (code, invoke) -> {
                            load(code, method, object)
                                    .invokevirtual(fieldOf(method, object), told, NOTHING);
                            pause(code).with(invoke);
                        });
    }

    /** A call is made before another, with the arguments of the method. */
    static Change earlier(String call, String before) {
        return method ->
                (code, element) -> {
                    if (isCall(element, before)) {
                        InvokeInstruction early = callIn(method, call);
                        code.aload(0);
                        for (int i = 0; i < early.typeSymbol().parameterCount(); i++) {
                            code.loadLocal(
                                    TypeKind.from(early.typeSymbol().parameterType(i)),
                                    code.parameterSlot(i));
                        }
                        pause(code.with(early)).with(element);
                        return true;
                    }
                    if (isCall(element, call)) {
                        leaveOut(code, (InvokeInstruction) element, 0);
                        return true;
                    }
                    return false;
                };
    }

    /** A call is made after another, and is taken to have answered 0. */
    static Change later(String call, String after) {
        return method ->
                new Step() {
                    private InvokeInstruction late;
                    private int[] arguments;

                    @Override
                    public boolean replace(CodeBuilder code, CodeElement element) {
                        if (late == null && isCall(element, call)) {
                            late = (InvokeInstruction) element;
                            List<ClassDesc> types = late.typeSymbol().parameterList();
                            arguments = new int[types.size()];
                            for (int i = types.size() - 1; i >= 0; i--) {
                                TypeKind kind = TypeKind.from(types.get(i));
                                arguments[i] = code.allocateLocal(kind);
                                code.storeLocal(kind, arguments[i]);
                            }
                            pushZero(code, TypeKind.from(late.typeSymbol().returnType()));
                            return true;
                        }
                        if (late == null || !isCall(element, after)) {
                            return false;
                        }
                        pause(code.with(element));
                        for (int i = 0; i < arguments.length; i++) {
                            code.loadLocal(
                                    TypeKind.from(late.typeSymbol().parameterType(i)),
                                    arguments[i]);
                        }
                        pop(code.with(late), late.typeSymbol().returnType());
                        return true;
                    }
                };
    }

    /** What a call answers is 0 if it is less. */
    static Change neverNegative(String call) {
        MethodTypeDesc max =
                MethodTypeDesc.of(ConstantDescs.CD_int, ConstantDescs.CD_int, ConstantDescs.CD_int);
        return atCalls(
                call,
                (code, invoke) ->
                        code.with(invoke)
                                .iconst_0()
                                .invokestatic(ClassDesc.of("java.lang.Math"), "max", max));
    }

    private static boolean isCall(CodeElement element, String call) {
        return element instanceof InvokeInstruction invoke && invoke.name().equalsString(call);
    }

    private static InvokeInstruction callIn(MethodModel method, String call) {
        return method.code()
                .flatMap(code -> code.elementStream().filter(e -> isCall(e, call)).findFirst())
                .map(InvokeInstruction.class::cast)
                .orElseThrow(() -> new AssertionError(call + Fault.NO_PLACE));
    }

    private static ClassDesc fieldOf(MethodModel method, String name) {
        return method.parent().orElseThrow().fields().stream()
                .filter(field -> field.fieldName().equalsString(name))
                .findFirst()
                .orElseThrow(() -> new AssertionError(name + Fault.NO_PLACE))
                .fieldTypeSymbol();
    }

    /** Loads a field of this object. */
    private static CodeBuilder load(CodeBuilder code, MethodModel method, String field) {
        return code.aload(0).getfield(owner(method), field, fieldOf(method, field));
    }

    // *** Fields ***

    /** A field is read as null, 0 or false. */
    static Change blindTo(String field) {
        return atAccesses(
                Opcode.GETFIELD,
                field,
                (code, read) -> pushZero(code.pop(), TypeKind.from(read.typeSymbol())));
    }

    /** A field of this object is read at the beginning of the method only. */
    static Change readFirst(String field) {
        return method -> new ReadFirst(method, field);
    }

    /** A counter in a field is one more from the beginning of the method on. */
    static Change countedFirst(String field) {
        return method ->
                new ReadFirst(method, field) {
                    @Override
                    public void begin(CodeBuilder code) {
                        super.begin(code);
                        code.aload(0).iload(kept).iconst_1().iadd();
                        pause(code.putfield(owner(method), field, ConstantDescs.CD_int));
                    }
                };
    }

    /** What was in a field at the beginning of the method is written there at the end. */
    static Change writtenBack(String field) {
        return method ->
                new ReadFirst(method, field) {
                    @Override
                    public boolean replace(CodeBuilder code, CodeElement element) {
                        if (!(element instanceof ReturnInstruction)) {
                            return false;
                        }
                        pause(code).aload(0).loadLocal(kind, kept);
                        code.putfield(owner(method), field, fieldOf(method, field)).with(element);
                        return true;
                    }
                };
    }

    private static class ReadFirst implements Step {
        private final MethodModel method;
        private final String field;
        final TypeKind kind;
        int kept = -1;

        ReadFirst(MethodModel method, String field) {
            this.method = method;
            this.field = field;
            this.kind = TypeKind.from(fieldOf(method, field));
        }

        @Override
        public void begin(CodeBuilder code) {
            kept = code.allocateLocal(kind);
            pause(load(code, method, field).storeLocal(kind, kept));
        }

        @Override
        public boolean replace(CodeBuilder code, CodeElement element) {
            if (!isAccess(element, Opcode.GETFIELD, field)) {
                return false;
            }
            code.pop().loadLocal(kind, kept);
            return true;
        }
    }

    /** A field of this object is not written, but is 0 or false after a call. */
    static Change resetAfter(String field, String call) {
        return method ->
                (code, element) -> {
                    ClassDesc type = fieldOf(method, field);
                    if (isAccess(element, Opcode.PUTFIELD, field)) {
                        pop(code, type).pop();
                        return true;
                    }
                    if (!isCall(element, call)) {
                        return false;
                    }
                    pause(code.with(element)).aload(0);
                    pushZero(code, TypeKind.from(type));
                    code.putfield(owner(method), field, type);
                    return true;
                };
    }

    private static ClassDesc owner(MethodModel method) {
        return method.parent().orElseThrow().thisClass().asSymbol();
    }

    /** Before a field is read its object is told, by a call without arguments. */
    static Change tellBeforeReading(String field, String call) {
        return atAccesses(
                Opcode.GETFIELD,
                field,
                (code, read) ->
                        pause(code.dup().invokevirtual(read.owner().asSymbol(), call, NOTHING))
                                .with(read));
    }

    /** Before a field is written its object is told, by a call without arguments. */
    static Change tellBeforeWriting(String field, String call) {
        return atAccesses(
                Opcode.PUTFIELD,
                field,
                (code, write) -> {
                    code.dup2();
                    code.pop().invokevirtual(write.owner().asSymbol(), call, NOTHING);
                    pause(code).with(write);
                });
    }

    /** A field is not written. */
    static Change notSet(String field) {
        return atAccesses(
                Opcode.PUTFIELD, field, (code, write) -> pop(code, write.typeSymbol()).pop());
    }

    /** A field is not written the time of that number, from 1 on. */
    static Change notSet(String field, int number) {
        return method -> {
            int[] seen = new int[1];
            Step step = notSet(field).in(method);
            return (code, element) ->
                    isAccess(element, Opcode.PUTFIELD, field)
                            && ++seen[0] == number
                            && step.replace(code, element);
        };
    }

    /** The method returns 0, false or null after a call where that is made first. */
    static Change returningAfter(String call) {
        return method -> {
            boolean[] done = new boolean[1];
            return (code, element) -> {
                if (done[0] || !isCall(element, call)) {
                    return false;
                }
                done[0] = true;
                returnZero(pause(code).with(element), method);
                return true;
            };
        };
    }

    // *** Constants ***

    /** A constant is 0. */
    static Change without(long constant) {
        return insteadOf(constant, 0);
    }

    /** A constant is another where it is first. */
    static Change insteadOf(long constant, long other) {
        return insteadOf(constant, other, 1);
    }

    /** A constant is another where it stands for that time, from 1 on. */
    static Change insteadOf(long constant, long other, int number) {
        return method -> {
            int[] seen = new int[1];
            return (code, element) -> {
                if (!(element instanceof ConstantInstruction instruction)
                        || !(instruction.constantValue() instanceof Number value)
                        || value.longValue() != constant
                        || ++seen[0] != number) {
                    return false;
                }
                if (value instanceof Long) {
                    code.loadConstant(other);
                } else {
                    code.loadConstant((int) other);
                }
                return true;
            };
        };
    }

    // *** Atomic operations ***

    /**
     * A compare-and-set or exchange, or an addition, becomes a look and, after a while, a write.
     */
    static Change torn() {
        return atomics("");
    }

    /** A compare-and-set becomes a write. */
    static Change setAnyway() {
        return atomics("Anyway");
    }

    /** What an addition answers is what was there a while before. */
    static Change decidedFirst() {
        Change decided = atomics("DecidedFirst");
        return method -> {
            Step step = decided.in(method);
            return (code, element) ->
                    element instanceof InvokeInstruction invoke
                            && invoke.name().stringValue().startsWith("getAnd")
                            && step.replace(code, element);
        };
    }

    /** Calls the method of {@link Planted} whose name is that of the operation and a suffix. */
    private static Change atomics(String suffix) {
        return method ->
                (code, element) -> {
                    if (!(element instanceof InvokeInstruction invoke)
                            || !isAtomic(invoke.name().stringValue())) {
                        return false;
                    }
                    MethodTypeDesc type = withObjects(invoke.typeSymbol());
                    String name = invoke.name().stringValue();
                    ClassDesc answer =
                            name.startsWith("compareAndSet")
                                    ? ConstantDescs.CD_boolean
                                    : type.parameterType(type.parameterCount() - 1);
                    code.invokestatic(
                            PLANTED,
                            name + suffix,
                            type.insertParameterTypes(0, invoke.owner().asSymbol())
                                    .changeReturnType(answer));
                    if (type.returnType().equals(ConstantDescs.CD_void)) {
                        pop(code, answer);
                    }
                    return true;
                };
    }

    private static MethodTypeDesc withObjects(MethodTypeDesc type) {
        return MethodTypeDesc.of(
                type.returnType(),
                type.parameterList().stream()
                        .map(each -> each.isPrimitive() ? each : ConstantDescs.CD_Object)
                        .toList());
    }

    private static boolean isAtomic(String call) {
        return call.startsWith("compareAnd") || call.startsWith("getAnd");
    }

    /** The look at the word that follows a push is left out. */
    static Change noLookAfterPush() {
        MethodTypeDesc look = MethodTypeDesc.of(ConstantDescs.CD_long, ConstantDescs.CD_long);
        return method ->
                (code, element) -> {
                    if (isCall(element, "push")) {
                        pause(code).with(element).invokestatic(PLANTED, "skipLook", NOTHING);
                        return true;
                    }
                    if (isAccess(element, Opcode.GETFIELD, "word")) {
                        code.with(element).invokestatic(PLANTED, "look", look);
                        return true;
                    }
                    return false;
                };
    }

    // *** Code ***

    private interface AtCall {
        void write(CodeBuilder code, InvokeInstruction invoke);
    }

    private interface AtAccess {
        void write(CodeBuilder code, FieldInstruction access);
    }

    private static Change atCalls(String call, AtCall instead) {
        return method -> calls(call, instead);
    }

    private static Step calls(String call, AtCall instead) {
        return (code, element) -> {
            if (!isCall(element, call)) {
                return false;
            }
            instead.write(code, (InvokeInstruction) element);
            return true;
        };
    }

    private static Change numbered(int number, String call, AtCall instead) {
        return method -> {
            int[] seen = new int[1];
            Step step = calls(call, instead);
            return (code, element) ->
                    isCall(element, call) && ++seen[0] == number && step.replace(code, element);
        };
    }

    private static Change atAccesses(Opcode opcode, String field, AtAccess instead) {
        return method -> accesses(opcode, field, instead);
    }

    private static Step accesses(Opcode opcode, String field, AtAccess instead) {
        return (code, element) -> {
            if (!isAccess(element, opcode, field)) {
                return false;
            }
            instead.write(code, (FieldInstruction) element);
            return true;
        };
    }

    private static boolean isAccess(CodeElement element, Opcode opcode, String field) {
        return element instanceof FieldInstruction access
                && access.opcode() == opcode
                && access.name().equalsString(field);
    }

    private static void leaveOut(CodeBuilder code, InvokeInstruction invoke, int answer) {
        List<ClassDesc> types = invoke.typeSymbol().parameterList();
        types.reversed().forEach(type -> pop(code, type));
        if (invoke.opcode() != Opcode.INVOKESTATIC) {
            code.pop();
        }
        if (answer == 0) {
            pushZero(code, TypeKind.from(invoke.typeSymbol().returnType()));
        } else {
            code.loadConstant(answer);
        }
    }

    private static CodeBuilder pop(CodeBuilder code, ClassDesc type) {
        return TypeKind.from(type).slotSize() == 2 ? code.pop2() : code.pop();
    }

    private static void pushZero(CodeBuilder code, TypeKind type) {
        switch (type) {
            case VOID -> {}
            case LONG -> code.lconst_0();
            case REFERENCE -> code.aconst_null();
            default -> code.iconst_0();
        }
    }

    private static void returnZero(CodeBuilder code, MethodModel method) {
        TypeKind type = TypeKind.from(method.methodTypeSymbol().returnType());
        pushZero(code, type);
        code.return_(type);
    }

    private static CodeBuilder pause(CodeBuilder code) {
        return code.invokestatic(PLANTED, "pause", NOTHING);
    }
}

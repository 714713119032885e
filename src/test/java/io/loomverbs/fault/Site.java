package io.loomverbs.fault;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.CodeElement;
import java.lang.classfile.MethodModel;
import java.lang.classfile.Opcode;
import java.lang.classfile.TypeKind;
import java.lang.classfile.instruction.FieldInstruction;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.DirectMethodHandleDesc;
import java.lang.constant.DynamicCallSiteDesc;
import java.lang.constant.MethodTypeDesc;
import java.util.List;

/** An element of a method's code, and the code that is written where it was. */
record Site(CodeBuilder code, MethodModel method, CodeElement element) {
    private static final MethodTypeDesc NOTHING = MethodTypeDesc.of(ConstantDescs.CD_void);
    private static final ClassDesc PLANTED = ClassDesc.of(Planted.class.getName());
    private static final DirectMethodHandleDesc LINK =
            ConstantDescs.ofCallsiteBootstrap(
                    PLANTED, "link", ConstantDescs.CD_CallSite, ConstantDescs.CD_String);

    boolean calls(String name) {
        return element instanceof InvokeInstruction call && call.name().equalsString(name);
    }

    boolean reads(String name) {
        return accesses(Opcode.GETFIELD, name);
    }

    boolean writes(String name) {
        return accesses(Opcode.PUTFIELD, name);
    }

    private boolean accesses(Opcode opcode, String name) {
        return element instanceof FieldInstruction access
                && access.opcode() == opcode
                && access.name().equalsString(name);
    }

    InvokeInstruction call() {
        return (InvokeInstruction) element;
    }

    ClassDesc fieldType() {
        return ((FieldInstruction) element).typeSymbol();
    }

    /** The first call of that name in the method. */
    InvokeInstruction callOf(String name) {
        return method.code()
                .orElseThrow()
                .elementStream()
                .filter(e -> new Site(code, method, e).calls(name))
                .map(InvokeInstruction.class::cast)
                .findFirst()
                .orElseThrow(() -> new AssertionError(name + Fault.NO_PLACE));
    }

    /** What a call takes from the stack, the first the lowest. */
    List<ClassDesc> typesOnStack(InvokeInstruction call) {
        MethodTypeDesc type = call.typeSymbol();
        return call.opcode() == Opcode.INVOKESTATIC
                ? type.parameterList()
                : type.insertParameterTypes(0, call.owner().asSymbol()).parameterList();
    }

    /** A variable for what was on the stack. */
    record Local(TypeKind kind, int slot) {}

    Local store(ClassDesc type) {
        TypeKind kind = TypeKind.from(type);
        Local local = new Local(kind, code.allocateLocal(kind));
        code.storeLocal(kind, local.slot);
        return local;
    }

    Site load(Local local) {
        code.loadLocal(local.kind, local.slot);
        return this;
    }

    Site on(CodeBuilder block) {
        return new Site(block, method, element);
    }

    /** Writes what stood here. */
    Site original() {
        code.with(element);
        return this;
    }

    Site pause() {
        code.invokestatic(PLANTED, "pause", NOTHING);
        return this;
    }

    /** Leaves out the call that stood here, which answers this. */
    void leaveOut(int answer) {
        typesOnStack(call()).reversed().forEach(this::pop);
        if (answer == 0) {
            pushZero(call().typeSymbol().returnType());
        } else {
            code.loadConstant(answer);
        }
    }

    Site pop(ClassDesc type) {
        switch (TypeKind.from(type).slotSize()) {
            case 0 -> {}
            case 1 -> code.pop();
            default -> code.pop2();
        }
        return this;
    }

    void pushZero(ClassDesc type) {
        switch (TypeKind.from(type)) {
            case VOID -> {}
            case LONG -> code.lconst_0();
            case REFERENCE -> code.aconst_null();
            default -> code.iconst_0();
        }
    }

    void returnZero() {
        ClassDesc type = method.methodTypeSymbol().returnType();
        pushZero(type);
        code.return_(TypeKind.from(type));
    }

    private ClassDesc owner() {
        return method.parent().orElseThrow().thisClass().asSymbol();
    }

    /** The type of a field of this object. */
    ClassDesc typeOf(String field) {
        return method.parent().orElseThrow().fields().stream()
                .filter(model -> model.fieldName().equalsString(field))
                .findFirst()
                .orElseThrow(() -> new AssertionError(field + Fault.NO_PLACE))
                .fieldTypeSymbol();
    }

    /** Loads a field of this object. */
    Site load(String field) {
        code.aload(0).getfield(owner(), field, typeOf(field));
        return this;
    }

    /** Stores what is on the stack, above this object, in one of its fields. */
    void store(String field) {
        code.putfield(owner(), field, typeOf(field));
    }

    /**
     * Calls, without arguments: FIELD.CALL, or .CALL of the object whose field is accessed here.
     */
    Site tell(String... told) {
        if (!told[0].isEmpty()) {
            load(told[0]).code.invokevirtual(typeOf(told[0]), told[1], NOTHING);
            return this;
        }
        FieldInstruction access = (FieldInstruction) element;
        CodeBuilder to = access.opcode() == Opcode.GETFIELD ? code.dup() : code.dup2().pop();
        to.invokevirtual(access.owner().asSymbol(), told[1], NOTHING);
        return this;
    }

    /** Lets {@link Planted} do what the call that stood here does. */
    void callPlanted(String how) {
        MethodTypeDesc type =
                MethodTypeDesc.of(call().typeSymbol().returnType(), typesOnStack(call()));
        String name = call().name().stringValue();
        code.invokedynamic(DynamicCallSiteDesc.of(LINK, name, type, how));
    }
}

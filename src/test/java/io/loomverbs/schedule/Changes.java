package io.loomverbs.schedule;

import io.loomverbs.schedule.Fault.Change;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Opcode;
import java.lang.classfile.TypeKind;
import java.lang.classfile.instruction.ConstantInstruction;
import java.lang.classfile.instruction.FieldInstruction;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.util.List;

/** Small things that go wrong in code. */
final class Changes {
    private static final ClassDesc PLANTED = ClassDesc.of(Planted.class.getName());

    private Changes() {}

    /** A call is left out; what it would have answered is 0, false or null. */
    static Change without(String call) {
        return answering(call, 0);
    }

    /** A call is left out, and {@code answer} is what it is taken to have answered. */
    static Change answering(String call, int answer) {
        return (code, element) -> {
            if (!(element instanceof InvokeInstruction invoke)
                    || !invoke.name().equalsString(call)) {
                return false;
            }
            popArguments(code, invoke);
            ClassDesc result = invoke.typeSymbol().returnType();
            if (answer == 0) {
                pushZero(code, result);
            } else {
                code.loadConstant(answer);
            }
            return true;
        };
    }

    /**
     * Like {@link #without}, but only the call of that number, from 1 on, in the order of the code.
     */
    static Change without(String call, int number) {
        int[] seen = new int[1];
        Change without = without(call);
        return (code, element) ->
                element instanceof InvokeInstruction invoke
                        && invoke.name().equalsString(call)
                        && ++seen[0] == number
                        && without.apply(code, element);
    }

    private static void pushZero(CodeBuilder code, ClassDesc type) {
        switch (TypeKind.from(type)) {
            case VOID -> {}
            case LONG -> code.lconst_0();
            case REFERENCE -> code.aconst_null();
            default -> code.iconst_0();
        }
    }

    private static void popArguments(CodeBuilder code, InvokeInstruction invoke) {
        List<ClassDesc> types = invoke.typeSymbol().parameterList();
        for (ClassDesc type : types.reversed()) {
            if (TypeKind.from(type).slotSize() == 2) {
                code.pop2();
            } else {
                code.pop();
            }
        }
        if (invoke.opcode() != Opcode.INVOKESTATIC) {
            code.pop();
        }
    }

    /** A field is read as null, 0 or false. */
    static Change blindTo(String field) {
        return (code, element) -> {
            if (!(element instanceof FieldInstruction access)
                    || access.opcode() != Opcode.GETFIELD
                    || !access.name().equalsString(field)) {
                return false;
            }
            code.pop();
            pushZero(code, access.typeSymbol());
            return true;
        };
    }

    /** A field is not written. */
    static Change notSet(String field) {
        return (code, element) -> {
            if (!(element instanceof FieldInstruction access)
                    || access.opcode() != Opcode.PUTFIELD
                    || !access.name().equalsString(field)) {
                return false;
            }
            if (TypeKind.from(access.typeSymbol()).slotSize() == 2) {
                code.pop2();
            } else {
                code.pop();
            }
            code.pop();
            return true;
        };
    }

    /** A constant is 0. */
    static Change without(long constant) {
        return (code, element) -> {
            if (!(element instanceof ConstantInstruction instruction)
                    || !(instruction.constantValue() instanceof Number number)
                    || number.longValue() != constant) {
                return false;
            }
            pushZero(code, instruction.typeKind().upperBound());
            return true;
        };
    }

    /**
     * A compare-and-set or exchange, or an addition, becomes a look and, after a while, a write.
     */
    static Change torn() {
        return (code, element) ->
                element instanceof InvokeInstruction invoke
                        && replaceCas(code, invoke, invoke.name().stringValue());
    }

    /** A compare-and-set becomes a write. */
    static Change setAnyway() {
        return (code, element) ->
                element instanceof InvokeInstruction invoke
                        && replaceCas(code, invoke, "setAnyway");
    }

    private static boolean replaceCas(CodeBuilder code, InvokeInstruction invoke, String by) {
        String name = invoke.name().stringValue();
        if (!name.startsWith("compareAnd") && !name.equals("getAndAdd")) {
            return false;
        }
        MethodTypeDesc type = invoke.typeSymbol();
        for (int i = 0; i < type.parameterCount(); i++) {
            if (!type.parameterType(i).isPrimitive()) {
                type = type.changeParameterType(i, ConstantDescs.CD_Object);
            }
        }
        code.invokestatic(PLANTED, by, type.insertParameterTypes(0, invoke.owner().asSymbol()));
        return true;
    }

    /** The look at the word that follows a push is left out. */
    static Change noLookAfterPush() {
        MethodTypeDesc look = MethodTypeDesc.of(ConstantDescs.CD_long, ConstantDescs.CD_long);
        return (code, element) -> {
            if (element instanceof InvokeInstruction invoke && invoke.name().equalsString("push")) {
                code.with(element);
                code.invokestatic(PLANTED, "skipLook", MethodTypeDesc.of(ConstantDescs.CD_void));
                return true;
            }
            if (element instanceof FieldInstruction read && read.name().equalsString("word")) {
                code.with(element);
                code.invokestatic(PLANTED, "look", look);
                return true;
            }
            return false;
        };
    }
}

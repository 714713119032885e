package io.loomverbs.fault;

import static io.loomverbs.fault.Site.NOTHING;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.TypeKind;
import java.lang.classfile.instruction.ConstantInstruction;
import java.lang.classfile.instruction.FieldInstruction;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.classfile.instruction.ReturnInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** Small things that go wrong in code. Calls and fields are found by their names. */
final class Changes {
    private Changes() {}

    /** A change as it is written in {@code faults.txt}: its kind, and what that is about. */
    static Change parse(String change) {
        String[] numbered = change.split(" #", 2);
        Change all = parse(numbered[0].split(" "));
        return numbered.length == 1 ? all : all.number(Integer.parseInt(numbered[1]));
    }

    private static Change parse(String... words) {
        String x = words.length > 1 ? words[1] : "";
        String y = words.length > 2 ? words[2] : "";
        return switch (words[0]) {
            // Call x is left out, and has answered 0, false or null.
            case "without" -> call(x, site -> site.leaveOut(0));
            // Call x is left out, and has answered y.
            case "answer" -> call(x, site -> site.leaveOut(Integer.parseInt(y)));
            // What is done under a lock is done without it.
            case "unlocked" ->
                    new Change(s -> s.calls("lock") || s.calls("unlock"), s -> s.leaveOut(0));
            // A while passes before call x, or before field x is written.
            case "pause" -> new Change(s -> s.calls(x) || s.writes(x), s -> s.pause().original());
            // The lock is let go for a while before call x.
            case "let-go" -> call(x, Changes::letGo);
            // The method returns 0, false or null if call x answers anything else.
            case "return-if" ->
                    call(x, s -> s.original().code().dup().ifThen(t -> s.on(t).returnZero()));
            // The method returns 0, false or null after call x.
            case "return-after" -> call(x, site -> site.pause().original().returnZero());
            // After call x the method parks once, for its second argument in nanoseconds.
            case "park-after" -> call(x, Changes::parkAfter);
            // Before call x or an access of field x an object is told: y is FIELD.CALL, of a field
            // of this object, or .CALL, of the object whose field it is.
            case "tell" -> tell(x, y.split("\\."));
            // Before call x of a ledger the events of its CQ are listed again.
            case "relist" -> call(x, Changes::relist);
            // Call x is made after call y, and is taken to have answered 0.
            case "later" -> new Later(x, y).change();
            // Field x of this object, or FIELD.CALL, is read at the beginning of the method only.
            case "first" -> new First(x).read();
            // Counter x is one more from the beginning of the method on.
            case "counted" -> new First(x).counting();
            // What was in field x at the beginning of the method is written there at the end.
            case "back" -> new First(x).writingBack();
            // Field x is read as 0, false or null.
            case "blind" ->
                    new Change(s -> s.reads(x), s -> s.on(s.code().pop()).pushZero(s.fieldType()));
            // Field x is not written.
            case "unset" -> new Change(s -> s.writes(x), s -> s.pop(s.fieldType()).code().pop());
            // Field x is 0, false or null after call y.
            case "reset" -> call(y, site -> reset(site, x));
            // Constant x is y.
            case "constant" -> constant(Long.decode(x), Long.decode(y));
            // A compare-and-set, an exchange or an addition becomes a look and, a while after it, a
            // write; becomes a write; or answers what was there a while before.
            case "torn" -> atomic("(compare|get)And.*", words[0]);
            case "set" -> atomic("compareAnd.*", words[0]);
            case "decided" -> atomic("getAnd.*", words[0]);
            default -> throw new AssertionError("there is no change " + words[0]);
        };
    }

    private static Change call(String name, Consumer<Site> instead) {
        return new Change(site -> site.calls(name), instead);
    }

    private static void letGo(Site site) {
        site.tell("lock", "unlock").pause().tell("lock", "lock").original();
    }

    private static void parkAfter(Site site) {
        site.original().pause().code().aload(0).lload(site.code().parameterSlot(1));
        site.code().with(site.callOf("parkNanos"));
    }

    private static Change tell(String name, String[] told) {
        if (!told[0].isEmpty()) {
            return call(name, site -> site.tell(told[0], told[1]).pause().original());
        }
        return new Change(
                site -> site.reads(name) || site.writes(name),
                site -> {
                    CodeBuilder to = site.code();
                    to = site.reads(name) ? to.dup() : to.dup2().pop();
                    ClassDesc owner = ((FieldInstruction) site.element()).owner().asSymbol();
                    to.invokevirtual(owner, told[1], NOTHING);
                    site.pause().original();
                });
    }

    private static void relist(Site site) {
        ClassDesc cq = ClassDesc.of("io.loomverbs.internal.event.QueuedCq");
        ClassDesc queue = ClassDesc.of("io.loomverbs.internal.event.EventQueue");
        site.code().aload(0).checkcast(cq).dup();
        site.code().invokevirtual(cq, "queue", MethodTypeDesc.of(queue)).swap();
        site.code().invokevirtual(queue, "relist", MethodTypeDesc.of(ConstantDescs.CD_void, cq));
        site.pause().original();
    }

    private static void reset(Site site, String field) {
        site.original().pause().code().aload(0);
        site.pushZero(site.typeOf(field));
        site.store(field);
    }

    private static Change constant(long constant, long other) {
        return new Change(
                site ->
                        site.element() instanceof ConstantInstruction instruction
                                && instruction.constantValue() instanceof Number value
                                && value.longValue() == constant,
                site -> {
                    boolean isLong =
                            ((ConstantInstruction) site.element()).typeKind() == TypeKind.LONG;
                    site.code().loadConstant(isLong ? (ConstantDesc) other : (int) other);
                });
    }

    private static Change atomic(String operations, String how) {
        return new Change(
                site ->
                        site.element() instanceof InvokeInstruction call
                                && call.name().stringValue().matches(operations),
                site -> site.callPlanted(how));
    }

    /** A call that is made after another. */
    private static final class Later {
        private final String late;
        private final String after;
        private final List<ClassDesc> types = new ArrayList<>();
        private int[] slots;

        Later(String late, String after) {
            this.late = late;
            this.after = after;
        }

        Change change() {
            return new Change(
                    site -> site.calls(late) || (slots != null && site.calls(after)), this::write);
        }

        private void write(Site site) {
            InvokeInstruction call = site.callOf(late);
            if (site.calls(late)) {
                types.addAll(site.typesOnStack(call));
                slots = types.stream().mapToInt(site::allocate).toArray();
                for (int i = types.size() - 1; i >= 0; i--) {
                    site.code().storeLocal(TypeKind.from(types.get(i)), slots[i]);
                }
                site.pushZero(call.typeSymbol().returnType());
                return;
            }
            site.original().pause();
            for (int i = 0; i < slots.length; i++) {
                site.code().loadLocal(TypeKind.from(types.get(i)), slots[i]);
            }
            site.code().with(call);
            site.pop(call.typeSymbol().returnType());
        }
    }

    /** What is looked at when the method begins; a while passes after that. */
    private static final class First {
        private final String field;
        private final String call;
        private TypeKind kind;
        private int kept;

        First(String what) {
            String[] parts = what.split("\\.", 2);
            field = parts[0];
            call = parts.length > 1 ? parts[1] : null;
        }

        private void begin(Site start) {
            ClassDesc type =
                    call == null
                            ? start.typeOf(field)
                            : start.callOf(call).typeSymbol().returnType();
            kind = TypeKind.from(type);
            kept = start.allocate(type);
            start.load(field);
            if (call != null) {
                start.code().with(start.callOf(call));
            }
            start.code().storeLocal(kind, kept);
            start.pause();
        }

        Change read() {
            return new Change(
                    site -> call == null ? site.reads(field) : site.calls(call),
                    site -> site.code().pop().loadLocal(kind, kept),
                    this::begin);
        }

        Change counting() {
            Change read = read();
            return new Change(read.place(), read.instead(), read.begin().andThen(this::count));
        }

        private void count(Site start) {
            start.code().aload(0).iload(kept).iconst_1().iadd();
            start.store(field);
            start.pause();
        }

        Change writingBack() {
            return new Change(
                    site -> site.element() instanceof ReturnInstruction,
                    site -> {
                        site.pause().code().aload(0).loadLocal(kind, kept);
                        site.store(field);
                        site.original();
                    },
                    this::begin);
        }
    }
}

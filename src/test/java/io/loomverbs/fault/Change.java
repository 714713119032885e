package io.loomverbs.fault;

import io.loomverbs.fault.Site.Local;

import java.lang.classfile.TypeKind;
import java.lang.classfile.instruction.ConstantInstruction;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.classfile.instruction.ReturnInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.util.ArrayDeque;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * A small thing that goes wrong in a method. Calls and fields are found by their names.
 *
 * @param place finds the elements that are changed
 * @param instead writes something else where such an element was
 * @param begin writes what comes before the first element
 */
record Change(Predicate<Site> place, Consumer<Site> instead, Consumer<Site> begin) {
    private Change(Predicate<Site> place, Consumer<Site> instead) {
        this(place, instead, start -> {});
    }

    /** A change as it is written in {@code faults.txt}: its kind, and what that is about. */
    static Change parse(String change) {
        String[] numbered = change.split(" #", 2);
        Change all = parse(numbered[0].split(" "));
        if (numbered.length == 1) {
            return all;
        }
        int number = Integer.parseInt(numbered[1]);
        int[] seen = {0};
        return new Change(s -> all.place.test(s) && ++seen[0] == number, all.instead, all.begin);
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
            // The method returns 0, false or null if call x answers anything else; after call x.
            case "return-if" ->
                    call(x, s -> s.original().code().dup().ifThen(t -> s.on(t).returnZero()));
            case "return-after" -> call(x, site -> site.pause().original().returnZero());
            // After call x the method parks once, for its second argument in nanoseconds.
            case "park-after" -> call(x, Change::parkAfter);
            // Before call x or an access of field x an object is told: what follows are FIELD.CALL,
            // of a field of this object, or .CALL, of the object whose field it is.
            case "tell" -> tell(x, List.of(words).subList(2, words.length));
            // Before call x of a ledger the events of its CQ are listed again.
            case "relist" -> call(x, Change::relist);
            // Call x is made after call y, and is taken to have answered 0.
            case "later" -> later(x, y);
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

    private static void parkAfter(Site site) {
        site.original().pause().code().aload(0).lload(site.code().parameterSlot(1));
        site.code().with(site.callOf("parkNanos"));
    }

    private static Change tell(String name, List<String> told) {
        return new Change(
                site -> site.calls(name) || site.reads(name) || site.writes(name),
                site -> {
                    told.forEach(each -> site.tell(each.split("\\.")).pause());
                    site.original();
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

    private static Change later(String late, String after) {
        ArrayDeque<Local> arguments = new ArrayDeque<>();
        return new Change(
                site -> site.calls(late) || (!arguments.isEmpty() && site.calls(after)),
                site -> {
                    InvokeInstruction call = site.callOf(late);
                    if (site.calls(late)) {
                        List<ClassDesc> types = site.typesOnStack(call);
                        types.reversed().forEach(type -> arguments.push(site.store(type)));
                        site.pushZero(call.typeSymbol().returnType());
                    } else {
                        site.original().pause();
                        arguments.forEach(site::load);
                        site.code().with(call);
                        site.pop(call.typeSymbol().returnType());
                    }
                });
    }

    /** What is looked at when the method begins; a while passes after that. */
    private static final class First {
        private final String field;
        private final String call;
        private Local kept;

        First(String what) {
            String[] parts = what.split("\\.", 2);
            field = parts[0];
            call = parts.length > 1 ? parts[1] : null;
        }

        private void begin(Site start) {
            ClassDesc type = start.load(field).typeOf(field);
            if (call != null) {
                InvokeInstruction asked = start.callOf(call);
                start.code().with(asked);
                type = asked.typeSymbol().returnType();
            }
            kept = start.store(type);
            start.pause();
        }

        Change read() {
            return new Change(
                    site -> call == null ? site.reads(field) : site.calls(call),
                    site -> site.on(site.code().pop()).load(kept),
                    this::begin);
        }

        Change counting() {
            Change read = read();
            return new Change(read.place, read.instead, read.begin.andThen(this::count));
        }

        private void count(Site start) {
            start.code().aload(0);
            start.load(kept).code().iconst_1().iadd();
            start.store(field);
            start.pause();
        }

        Change writingBack() {
            return new Change(
                    site -> site.element() instanceof ReturnInstruction,
                    site -> {
                        site.pause().code().aload(0);
                        site.load(kept).store(field);
                        site.original();
                    },
                    this::begin);
        }
    }
}

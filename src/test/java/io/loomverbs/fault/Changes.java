package io.loomverbs.fault;

import static io.loomverbs.fault.Site.NOTHING;
import static io.loomverbs.fault.Site.PLANTED;

import io.loomverbs.fault.Change.Defect;

import java.lang.classfile.TypeKind;
import java.lang.classfile.instruction.ConstantInstruction;
import java.lang.classfile.instruction.FieldInstruction;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.classfile.instruction.ReturnInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;

/** Small things that go wrong in code. Calls and fields are found by their names. */
class Changes {
    private static final MethodTypeDesc ANSWER = MethodTypeDesc.of(ConstantDescs.CD_boolean);

    Changes() {}

    private static Change at(Predicate<Site> place, Consumer<Site> instead) {
        return new Change(
                () ->
                        new Defect() {
                            @Override
                            public boolean isAbout(Site site) {
                                return place.test(site);
                            }

                            @Override
                            public void write(Site site) {
                                instead.accept(site);
                            }
                        });
    }

    // *** Calls ***

    /** A call is left out; what it would have answered is 0, false or null. */
    static Change without(String call) {
        return answering(call, 0);
    }

    /** A call is left out, and {@code answer} is what it is taken to have answered. */
    static Change answering(String call, int answer) {
        return at(site -> site.calls(call), site -> site.leaveOut(answer));
    }

    /** What is done under a lock is done without it. */
    static Change unlocked() {
        return at(site -> site.calls("lock") || site.calls("unlock"), site -> site.leaveOut(0));
    }

    /** A call is left out if the thread is interrupted. */
    static Change withoutIfInterrupted(String call) {
        return at(
                site -> site.calls(call),
                site ->
                        site.code()
                                .invokestatic(PLANTED, "isInterrupted", ANSWER)
                                .ifThenElse(
                                        then -> site.on(then).leaveOut(0),
                                        otherwise -> site.on(otherwise).original()));
    }

    /** What a call answers is 0 if it is less. */
    static Change neverNegative(String call) {
        MethodTypeDesc type = MethodTypeDesc.of(ConstantDescs.CD_int, ConstantDescs.CD_int);
        return at(
                site -> site.calls(call),
                site -> site.original().code().invokestatic(PLANTED, "neverNegative", type));
    }

    /** The method returns 0, false or null if a call answers anything else. */
    static Change returningIf(String call) {
        return at(
                site -> site.calls(call),
                site -> {
                    site.original().code().dup();
                    site.code().ifThen(then -> site.on(then).returnZero());
                });
    }

    /** The method returns 0, false or null after a call where that is made first. */
    static Change returningAfter(String call) {
        return at(site -> site.calls(call), site -> site.pause().original().returnZero()).number(1);
    }

    /** A while passes before a call, or before a field is written. */
    static Change pauseBefore(String name) {
        return at(site -> site.calls(name) || site.writes(name), site -> site.pause().original());
    }

    /** The lock {@code lock} is let go for a while before a call. */
    static Change letGoBefore(String call) {
        return at(
                site -> site.calls(call),
                site -> site.tell("lock", "unlock").pause().tell("lock", "lock").original());
    }

    /** Before a call an object in a field is told, by a call without arguments. */
    static Change tellFirst(String call, String object, String told) {
        return at(site -> site.calls(call), site -> site.tell(object, told).pause().original());
    }

    /** Before a call of a ledger a CQ's events are listed again. */
    static Change relistBefore(String call) {
        ClassDesc cq = ClassDesc.of("io.loomverbs.internal.event.QueuedCq");
        ClassDesc queue = ClassDesc.of("io.loomverbs.internal.event.EventQueue");
        return at(
                site -> site.calls(call),
                site -> {
                    site.code().aload(0).checkcast(cq).dup();
                    site.code().invokevirtual(cq, "queue", MethodTypeDesc.of(queue)).swap();
                    MethodTypeDesc type = MethodTypeDesc.of(ConstantDescs.CD_void, cq);
                    site.code().invokevirtual(queue, "relist", type);
                    site.pause().original();
                });
    }

    /** What an object in a field answers is asked for at the beginning of the method only. */
    static Change askedFirst(String object, String call) {
        return new Change(
                () ->
                        new ReadFirst(
                                site -> site.calls(call),
                                start -> start.callOf(call).typeSymbol().returnType(),
                                start -> start.load(object).code().with(start.callOf(call))));
    }

    /** A call is made before another, with the arguments of the method. */
    static Change earlier(String call, String before) {
        return at(
                site -> site.calls(call) || site.calls(before),
                site -> {
                    if (site.calls(call)) {
                        site.leaveOut(0);
                        return;
                    }
                    InvokeInstruction early = site.callOf(call);
                    site.code().aload(0);
                    for (int i = 0; i < early.typeSymbol().parameterCount(); i++) {
                        TypeKind kind = TypeKind.from(early.typeSymbol().parameterType(i));
                        site.code().loadLocal(kind, site.code().parameterSlot(i));
                    }
                    site.code().with(early);
                    site.pause().original();
                });
    }

    /** A call is made after another, and is taken to have answered 0. */
    static Change later(String call, String after) {
        return new Change(() -> new Later(call, after));
    }

    private static final class Later implements Defect {
        private final String call;
        private final String after;
        private int[] arguments;

        Later(String call, String after) {
            this.call = call;
            this.after = after;
        }

        @Override
        public boolean isAbout(Site site) {
            return site.calls(call) || (arguments != null && site.calls(after));
        }

        @Override
        public void write(Site site) {
            InvokeInstruction late = site.callOf(call);
            List<ClassDesc> types = late.typeSymbol().parameterList();
            if (site.calls(call)) {
                arguments = new int[types.size()];
                for (int i = types.size() - 1; i >= 0; i--) {
                    arguments[i] = site.code().allocateLocal(TypeKind.from(types.get(i)));
                    site.code().storeLocal(TypeKind.from(types.get(i)), arguments[i]);
                }
                site.pushZero(late.typeSymbol().returnType());
                return;
            }
            site.original().pause();
            for (int i = 0; i < arguments.length; i++) {
                site.code().loadLocal(TypeKind.from(types.get(i)), arguments[i]);
            }
            site.code().with(late);
            site.pop(late.typeSymbol().returnType());
        }
    }

    // *** Fields ***

    /** A field is read as null, 0 or false. */
    static Change blindTo(String field) {
        return at(
                site -> site.reads(field),
                site -> {
                    site.code().pop();
                    site.pushZero(site.fieldType());
                });
    }

    /** A field is not written. */
    static Change notSet(String field) {
        return at(site -> site.writes(field), site -> site.pop(site.fieldType()).code().pop());
    }

    /** A field of this object is read at the beginning of the method only. */
    static Change readFirst(String field) {
        return new Change(() -> new ReadFirst(field));
    }

    /** A counter in a field is one more from the beginning of the method on. */
    static Change countedFirst(String field) {
        return new Change(
                () ->
                        new ReadFirst(field) {
                            @Override
                            public void begin(Site start) {
                                super.begin(start);
                                start.code().aload(0).iload(kept).iconst_1().iadd();
                                start.store(field);
                                start.pause();
                            }
                        });
    }

    /** What was in a field at the beginning of the method is written there at the end. */
    static Change writtenBack(String field) {
        return new Change(
                () ->
                        new ReadFirst(field) {
                            @Override
                            public boolean isAbout(Site site) {
                                return site.element() instanceof ReturnInstruction;
                            }

                            @Override
                            public void write(Site site) {
                                site.pause().code().aload(0).loadLocal(kind, kept);
                                site.store(field);
                                site.original();
                            }
                        });
    }

    /** Something is looked at when the method begins, and a while passes. */
    private static class ReadFirst implements Defect {
        private final Predicate<Site> place;
        private final Function<Site, ClassDesc> type;
        private final Consumer<Site> read;
        TypeKind kind;
        int kept;

        ReadFirst(Predicate<Site> place, Function<Site, ClassDesc> type, Consumer<Site> read) {
            this.place = place;
            this.type = type;
            this.read = read;
        }

        ReadFirst(String field) {
            this(site -> site.reads(field), start -> start.typeOf(field), s -> s.load(field));
        }

        @Override
        public void begin(Site start) {
            kind = TypeKind.from(type.apply(start));
            kept = start.code().allocateLocal(kind);
            read.accept(start);
            start.code().storeLocal(kind, kept);
            start.pause();
        }

        @Override
        public boolean isAbout(Site site) {
            return place.test(site);
        }

        @Override
        public void write(Site site) {
            site.code().pop().loadLocal(kind, kept);
        }
    }

    /** Before a field is read its object is told, by a call without arguments. */
    static Change tellBeforeReading(String field, String call) {
        return at(
                site -> site.reads(field),
                site -> {
                    ClassDesc owner = ((FieldInstruction) site.element()).owner().asSymbol();
                    site.code().dup().invokevirtual(owner, call, NOTHING);
                    site.pause().original();
                });
    }

    /** Before a field is written its object is told, by a call without arguments. */
    static Change tellBeforeWriting(String field, String call) {
        return at(
                site -> site.writes(field),
                site -> {
                    ClassDesc owner = ((FieldInstruction) site.element()).owner().asSymbol();
                    site.code().dup2().pop().invokevirtual(owner, call, NOTHING);
                    site.pause().original();
                });
    }

    /** A field of this object is not written, but is 0 or false after a call. */
    static Change resetAfter(String field, String call) {
        return at(
                site -> site.writes(field) || site.calls(call),
                site -> {
                    if (site.writes(field)) {
                        site.pop(site.fieldType()).code().pop();
                        return;
                    }
                    site.original().pause().code().aload(0);
                    site.pushZero(site.typeOf(field));
                    site.store(field);
                });
    }

    // *** Constants ***

    /** A constant is 0 where it is first. */
    static Change without(long constant) {
        return insteadOf(constant, 0);
    }

    /** A constant is another where it is first. */
    static Change insteadOf(long constant, long other) {
        return at(
                        site ->
                                site.element() instanceof ConstantInstruction instruction
                                        && instruction.constantValue() instanceof Number value
                                        && value.longValue() == constant,
                        site -> {
                            boolean isLong =
                                    ((ConstantInstruction) site.element()).typeKind()
                                            == TypeKind.LONG;
                            if (isLong) {
                                site.code().loadConstant(other);
                            } else {
                                site.code().loadConstant((int) other);
                            }
                        })
                .number(1);
    }

    // *** Atomic operations ***

    /**
     * A compare-and-set or exchange, or an addition, becomes a look and, after a while, a write.
     */
    static Change torn() {
        return at(
                site -> isAtomic(site, "compareAnd") || isAtomic(site, "getAnd"),
                site -> atomic(site, ""));
    }

    /** A compare-and-set becomes a write. */
    static Change setAnyway() {
        return at(site -> isAtomic(site, "compareAnd"), site -> atomic(site, "Anyway"));
    }

    /** What an addition or the like answers is what was there a while before. */
    static Change decidedFirst() {
        return at(site -> isAtomic(site, "getAnd"), site -> atomic(site, "DecidedFirst"));
    }

    private static boolean isAtomic(Site site, String prefix) {
        return site.element() instanceof InvokeInstruction call
                && call.name().stringValue().startsWith(prefix);
    }

    /** Calls the method of {@link Planted} whose name is that of the operation and a suffix. */
    private static void atomic(Site site, String suffix) {
        String name = site.call().name().stringValue();
        MethodTypeDesc type = site.call().typeSymbol();
        List<ClassDesc> types =
                type.parameterList().stream()
                        .map(each -> each.isPrimitive() ? each : ConstantDescs.CD_Object)
                        .toList();
        ClassDesc answer =
                name.startsWith("compareAndSet") ? ConstantDescs.CD_boolean : types.getLast();
        MethodTypeDesc planted =
                MethodTypeDesc.of(answer, types)
                        .insertParameterTypes(0, site.call().owner().asSymbol());
        site.code().invokestatic(PLANTED, name + suffix, planted);
        if (type.returnType().equals(ConstantDescs.CD_void)) {
            site.pop(answer);
        }
    }

    /** The look at the word that follows a push is left out. */
    static Change noLookAfterPush() {
        MethodTypeDesc look = MethodTypeDesc.of(ConstantDescs.CD_long, ConstantDescs.CD_long);
        return at(
                site -> site.calls("push") || site.reads("word"),
                site -> {
                    if (site.calls("push")) {
                        site.pause().original().code().invokestatic(PLANTED, "skipLook", NOTHING);
                    } else {
                        site.original().code().invokestatic(PLANTED, "look", look);
                    }
                });
    }
}

package io.loomverbs.walk;

import io.loomverbs.AsyncEvent;
import io.loomverbs.ClosedException;
import io.loomverbs.CompletionChannel;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.CqEvent;
import io.loomverbs.Gid;
import io.loomverbs.MemoryRegion;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QueuePair;
import io.loomverbs.Serving;
import io.loomverbs.SharedReceiveQueue;
import io.loomverbs.VerbsException;
import io.loomverbs.misuse.ApiMethods;
import io.loomverbs.testkit.Faults;

import org.jspecify.annotations.Nullable;

import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Parameter;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Calls a method of the API that chance has chosen, with arguments that chance has chosen. */
final class ApiCall {
    private static final Set<String> HARMLESS =
            Set.of(
                    "pd",
                    "context",
                    "channel",
                    "type",
                    "typeNumber",
                    "cq",
                    "qp",
                    "count",
                    "port",
                    "cqContext",
                    "compVector",
                    "isDirect",
                    "qpNum",
                    "sendCq",
                    "recvCq",
                    "memory",
                    "address",
                    "length",
                    "access",
                    "lkey",
                    "rkey",
                    "device",
                    "numCompVectors");

    static final List<Executable> ALL =
            ApiMethods.all().values().stream()
                    .filter(e -> e.getDeclaringClass().getPackageName().equals("io.loomverbs"))
                    .toList();

    static final List<Executable> TESTKIT = List.copyOf(ApiMethods.ofTheTestkit().values());

    /** Those of objects that can change. */
    private static final List<Executable> LIVELY =
            ALL.stream()
                    .filter(
                            e ->
                                    AutoCloseable.class.isAssignableFrom(e.getDeclaringClass())
                                            && !(e.getParameterCount() == 0
                                                    && HARMLESS.contains(e.getName())))
                    .toList();

    /** What may wait without bound, so that another thread calls it and is interrupted. */
    private static final Set<String> WAITS =
            Set.of("getCq", "getCqEvent", "await", "getAsyncEvent", "run", "join");

    /** What changes an object in a way that the model of tame objects has to know. */
    private static final Set<String> CHANGES =
            Set.of(
                    "poll",
                    "await",
                    "serve",
                    "getCq",
                    "tryGetCq",
                    "getCqEvent",
                    "tryGetCqEvent",
                    "getAsyncEvent",
                    "ackEvents",
                    "reqNotify",
                    "resize",
                    "postSend",
                    "postRecv",
                    "close",
                    "modify",
                    "rereg",
                    "connect",
                    "init",
                    "activate");

    private final World world;
    private final boolean alone;

    /** What was called, and came back. */
    final Set<String> called = new HashSet<>();

    /**
     * @param alone whether no other thread uses the objects, so that every outcome is known
     */
    ApiCall(World world, boolean alone) {
        this.world = world;
        this.alone = alone;
    }

    /** Whether it only tells of an object, and takes nothing: nothing can be wrong about it. */
    static boolean onlyTells(Executable e) {
        Class<?> of = e.getDeclaringClass();
        return e.getParameterCount() == 0
                && (of.isRecord()
                        || Throwable.class.isAssignableFrom(of)
                        || HARMLESS.contains(e.getName()));
    }

    /** One call; answers what it was, or throws an {@link AssertionError}. */
    @SuppressWarnings("ReferenceEquality") // NONE is a marker
    String make(Dice dice) throws InterruptedException {
        Executable method = chosen(dice);
        Values values = new Values(world, dice);
        Object receiver = null;
        if (method instanceof Method && !Modifier.isStatic(method.getModifiers())) {
            receiver = values.of(method.getDeclaringClass(), false);
            if (receiver == null || receiver.equals(Values.NONE)) {
                return "nothing: no receiver of " + ApiMethods.name(method);
            }
        }
        if (mayNotChange(receiver, method)) {
            return "nothing: " + receiver + " is not to be changed by " + method.getName();
        }
        Object[] arguments = new Object[method.getParameterCount()];
        Parameter[] parameters = method.getParameters();
        for (int i = 0; i < arguments.length; i++) {
            arguments[i] = values.of(parameters[i].getType(), ApiMethods.isNullable(parameters[i]));
            if (Values.NONE.equals(arguments[i])) {
                return "nothing: no argument for " + ApiMethods.name(method);
            }
        }
        for (Object argument : arguments) {
            if (method.getDeclaringClass() == Serving.class && isTame(argument)) {
                return "nothing: " + argument + " is not to be served";
            }
        }
        return call(method, receiver, arguments, dice);
    }

    /** Faults are rarer where the rest of the walk is to know every outcome. */
    private Executable chosen(Dice dice) {
        if (dice.oneIn(alone ? 25 : 8)) {
            return dice.of(TESTKIT);
        }
        return dice.oneIn(3) ? dice.of(ALL) : dice.of(LIVELY);
    }

    private boolean mayNotChange(@Nullable Object receiver, Executable method) {
        return isTame(receiver) && CHANGES.contains(method.getName());
    }

    private boolean isTame(@Nullable Object object) {
        Known k = object == null ? null : world.known(object);
        return k != null && k.tame && k.open;
    }

    private String call(Executable method, @Nullable Object receiver, Object[] arguments, Dice dice)
            throws InterruptedException {
        boolean closes = receiver instanceof AutoCloseable && method.getName().equals("close");
        Known closed = closes ? world.known(receiver) : null;
        if (closed != null && closed.open && alone) {
            prepareClose(receiver, arguments);
        }
        boolean busy = closed != null && closed.open && isUsed(receiver);
        String text = describe(method, receiver, arguments);
        Outcome outcome =
                WAITS.contains(method.getName())
                        ? Outcome.interrupted(method, receiver, arguments, dice, text)
                        : Outcome.of(method, receiver, arguments);
        outcome.check(method, receiver, arguments, text);
        called.add(ApiMethods.name(method));
        if (closed != null) {
            closed(closed, busy, outcome, text);
        }
        if (method.getName().equals("attachMcast") && outcome.thrown() == null) {
            detach((QueuePair) receiver, arguments); // a queue pair of a group cannot be closed
        }
        Object result = outcome.result();
        if (alone && result instanceof Serving serving && dice.oneIn(2)) {
            serving.close(); // so that the CQ or channel can be used otherwise later
        } else if (!alone && result instanceof CqEvent event) {
            event.close(); // another thread may wait for that in a close
        } else if (!alone && receivesCq(method) && result instanceof CompletionQueue cq) {
            acknowledgeOne(cq);
        } else if (!alone && result instanceof AsyncEvent event) {
            event.close();
        } else if (result != null && (alone || !Values.isOfOneThread(result)) && isKept(result)) {
            world.add(result, false);
        }
        return text + " -> " + outcome;
    }

    private static boolean receivesCq(Executable method) {
        return method.getName().equals("getCq") || method.getName().equals("tryGetCq");
    }

    private static void acknowledgeOne(CompletionQueue cq) {
        try {
            cq.ackEvents(1);
        } catch (IllegalStateException e) {
            // Another thread has acknowledged more than it received.
        }
    }

    private static void detach(QueuePair qp, Object[] arguments) {
        try {
            qp.detachMcast((Gid) arguments[0], (int) arguments[1]);
        } catch (VerbsException | ClosedException e) {
            // Another thread did so first.
        }
    }

    private void prepareClose(Object receiver, Object[] arguments) {
        if (receiver instanceof QueuePair
                || receiver instanceof SharedReceiveQueue
                || receiver instanceof CompletionQueue) {
            world.acknowledgeAsyncEventsOf(receiver);
        }
        if (receiver instanceof CompletionQueue cq && arguments.length == 0) {
            int unacked = cq.unackedEvents();
            if (unacked > 0) {
                cq.ackEvents(unacked);
            }
        }
    }

    private boolean isUsed(Object receiver) {
        return (receiver instanceof Context
                        || receiver instanceof ProtectionDomain
                        || receiver instanceof CompletionChannel
                        || receiver instanceof SharedReceiveQueue
                        || receiver instanceof CompletionQueue)
                && !world.openUsersOf(receiver).isEmpty();
    }

    private void closed(Known k, boolean busy, Outcome outcome, String text) {
        if (outcome.thrown() == null) {
            if (alone && busy && k.open) {
                throw new AssertionError(
                        text + " closed what is in use by " + world.openUsersOf(k.object));
            }
            k.open = false;
            if (k.isEvent()) {
                world.forget(k.object);
            }
        } else if (World.isBusy(outcome.thrown()) && k.object instanceof MemoryRegion) {
            return; // a window may be bound to it
        } else if (alone && World.isBusy(outcome.thrown()) && !busy) {
            throw new AssertionError(text + " is said to be in use, but is not", outcome.thrown());
        } else if (alone
                && !World.isBusy(outcome.thrown())
                && !(k.object instanceof CompletionQueue)
                && !k.isEvent()) {
            throw new AssertionError(text + " was not closed", outcome.thrown());
        }
    }

    /** The device of the first context is not lost, or there would be little to walk on. */
    private boolean isKept(Object result) {
        if (result instanceof Faults faults && faults.context() == world.first) {
            return false;
        }
        String type = result.getClass().getName();
        return type.startsWith("io.loomverbs.") && !result.getClass().isEnum();
    }

    private static String describe(
            Executable method, @Nullable Object receiver, Object[] arguments) {
        String on = receiver == null ? "" : " of " + shown(receiver);
        return ApiMethods.name(method)
                + on
                + " with "
                + Arrays.stream(arguments).map(ApiCall::shown).toList();
    }

    private static String shown(@Nullable Object value) {
        return value instanceof Object[] array
                ? Arrays.toString(array)
                : value instanceof Context
                                || value instanceof CqEvent
                                || value instanceof AsyncEvent
                        ? value + "@" + Integer.toHexString(System.identityHashCode(value))
                        : String.valueOf(value);
    }

    static Object invoke(Executable e, @Nullable Object target, Object... arguments)
            throws ReflectiveOperationException {
        return e instanceof Method m
                ? m.invoke(target, arguments)
                : ((Constructor<?>) e).newInstance(arguments);
    }
}

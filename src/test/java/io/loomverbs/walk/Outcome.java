package io.loomverbs.walk;

import io.loomverbs.VerbsException;
import io.loomverbs.blocking.RequestFailedException;
import io.loomverbs.blocking.RequestTimeoutException;
import io.loomverbs.cm.ConnectionException;
import io.loomverbs.cm.ConnectionTimeoutException;
import io.loomverbs.testkit.Leaks;

import org.jspecify.annotations.Nullable;

import java.lang.reflect.Executable;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Parameter;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/** How a call ended: with a result, or an exception that must be of a documented kind. */
record Outcome(@Nullable Object result, @Nullable Throwable thrown) {
    static Outcome of(Executable method, @Nullable Object receiver, Object[] arguments) {
        try {
            return new Outcome(ApiCall.invoke(method, receiver, arguments), null);
        } catch (InvocationTargetException e) {
            return new Outcome(null, e.getCause());
        } catch (ReflectiveOperationException e) {
            return new Outcome(null, e);
        }
    }

    /** Has another thread call it, which is interrupted after a moment. */
    static Outcome interrupted(
            Executable method,
            @Nullable Object receiver,
            Object[] arguments,
            Dice dice,
            String text)
            throws InterruptedException {
        AtomicReference<Outcome> outcome = new AtomicReference<>();
        boolean before = dice.oneIn(4);
        Thread.Builder builder = dice.oneIn(4) ? Thread.ofPlatform() : Thread.ofVirtual();
        Thread thread =
                builder.name("waits")
                        .start(
                                () -> {
                                    if (before) {
                                        Thread.currentThread().interrupt();
                                    }
                                    outcome.set(of(method, receiver, arguments));
                                });
        if (!thread.join(Duration.ofNanos(200_000))) {
            LockSupport.parkNanos(dice.below(200_000));
            thread.interrupt();
        }
        if (!thread.join(World.PATIENCE)) {
            throw new AssertionError(text + " goes on though its thread was interrupted");
        }
        return outcome.get();
    }

    /** Fails unless it is a result or a documented exception that says what is wrong. */
    void check(Executable method, @Nullable Object receiver, Object[] arguments, String text) {
        String problem = thrown == null ? null : problem(method, arguments);
        if (problem != null) {
            throw new AssertionError(text + " -> " + thrown + ": " + problem, thrown);
        }
    }

    /** Fails unless it is an exception of which a caller has been told. */
    static void checkDocumented(RuntimeException e) {
        if (!isDocumented(e)) {
            throw new AssertionError("of no documented kind: " + e, e);
        }
    }

    static boolean isDocumented(Throwable t) {
        return t instanceof IllegalStateException
                || t instanceof VerbsException
                || t instanceof ConnectionException;
    }

    private @Nullable String problem(Executable method, Object[] arguments) {
        String message = String.valueOf(thrown.getMessage());
        return switch (thrown) {
            case NullPointerException e -> nullProblem(method, arguments, message);
            case IndexOutOfBoundsException e ->
                    hasParameter(method, "index") ? null : "this is no index of the caller's";
            case IllegalArgumentException e -> namesAnArgument(method, arguments, message);
            case IllegalStateException e -> e.getMessage() == null ? "says nothing" : null;
            case VerbsException e ->
                    message.contains(e.verb()) && message.contains(e.errnoName())
                            ? null
                            : "names neither verb nor errno";
            case RequestFailedException e ->
                    message.contains(e.status().name())
                                    || message.contains(String.valueOf(e.getCause()))
                            ? null
                            : "names neither status nor cause";
            case RequestTimeoutException e -> message.contains("PT") ? null : "names no time";
            case ConnectionTimeoutException e -> message.contains("PT") ? null : "names no time";
            case ConnectionException e ->
                    message.contains(e.call()) && message.contains(e.errnoName())
                            ? null
                            : "names neither call nor errno";
            case InterruptedException e -> null;
            case AssertionError e ->
                    method.getDeclaringClass() == Leaks.class && message.startsWith("left open")
                            ? null
                            : "of no documented kind";
            case UnsupportedOperationException e ->
                    Set.of("fd", "system").contains(method.getName())
                                    || message.startsWith("fault injection is not supported")
                            ? null
                            : "of no documented kind";
            default -> "of no documented kind";
        };
    }

    private static @Nullable String nullProblem(
            Executable method, Object[] arguments, String message) {
        Parameter[] parameters = method.getParameters();
        for (int i = 0; i < arguments.length; i++) {
            boolean missing =
                    arguments[i] == null
                            || (arguments[i] instanceof Object[] array
                                    && Stream.of(array).anyMatch(o -> o == null));
            if (missing && message.equals(parameters[i].getName() + " is null")) {
                return null;
            }
        }
        return "names no argument that is null";
    }

    private static @Nullable String namesAnArgument(
            Executable method, Object[] arguments, String message) {
        if (method.getParameterCount() == 0) {
            return "takes no argument";
        }
        Parameter[] parameters = method.getParameters();
        for (int i = 0; i < arguments.length; i++) {
            String name = parameters[i].getName();
            String value = String.valueOf(arguments[i]);
            if (message.matches("(?s).*\\b" + name + "\\b.*")
                    || message.contains(value)
                    || hasPart(arguments[i], message.split(" ", 2)[0])) {
                return null;
            }
        }
        return "names no argument";
    }

    private static boolean hasPart(@Nullable Object argument, String name) {
        return argument != null
                && Stream.of(argument.getClass().getMethods())
                        .anyMatch(m -> m.getName().equals(name));
    }

    private static boolean hasParameter(Executable method, String name) {
        return Stream.of(method.getParameters()).anyMatch(p -> p.getName().equals(name));
    }

    @Override
    public String toString() {
        return thrown == null ? String.valueOf(result) : thrown.toString();
    }
}

package io.loomverbs.project;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.support.PublicApi;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.CodeElement;
import java.lang.classfile.MethodModel;
import java.lang.classfile.constantpool.ClassEntry;
import java.lang.classfile.instruction.InvokeDynamicInstruction;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.constant.ConstantDesc;
import java.lang.constant.DirectMethodHandleDesc;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/**
 * No code of Flight Recorder is in the paths that are short: read from the compiled classes, by
 * following every call that may happen, into each class that a call may reach. Not into soft0: a
 * post executes requests there, and what fails in them is an event.
 */
class RecorderCallsTest {
    private static final String API = "io/loomverbs/";
    private static final String SOFT = API + "internal/soft/";
    private static final String RECORDER = API + "internal/jfr/";

    /** A method, such as {@code io/loomverbs/CqEvent.close()V}: what it calls. */
    private static final Map<String, Set<String>> CALLS = new HashMap<>();

    /** A class or an interface: those that extend or implement it themselves. */
    private static final Map<String, Set<String>> BELOW = new HashMap<>();

    private static final Map<String, String> ABOVE = new HashMap<>();

    static {
        try (Stream<Path> files = Files.walk(PublicApi.root().resolve(API))) {
            for (Path file : files.filter(f -> f.toString().endsWith(".class")).toList()) {
                read(ClassFile.of().parse(file));
            }
        } catch (IOException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private static void read(ClassModel model) {
        String owner = model.thisClass().asInternalName();
        List<ClassEntry> above = new ArrayList<>(model.interfaces());
        model.superclass().ifPresent(above::add);
        model.superclass().ifPresent(c -> ABOVE.put(owner, c.asInternalName()));
        for (ClassEntry c : above) {
            BELOW.computeIfAbsent(c.asInternalName(), name -> new HashSet<>()).add(owner);
        }
        for (MethodModel method : model.methods()) {
            Set<String> calls = new HashSet<>();
            method.code().ifPresent(code -> code.elementList().forEach(e -> add(e, calls)));
            CALLS.put(owner + "." + signature(method), calls);
        }
    }

    private static String signature(MethodModel method) {
        return method.methodName().stringValue() + method.methodType().stringValue();
    }

    private static void add(CodeElement element, Set<String> calls) {
        if (element instanceof InvokeInstruction call) {
            calls.add(
                    call.owner().asInternalName()
                            + "."
                            + call.name().stringValue()
                            + call.type().stringValue());
        } else if (element instanceof InvokeDynamicInstruction dynamic) {
            for (ConstantDesc argument : dynamic.bootstrapArgs()) {
                if (argument instanceof DirectMethodHandleDesc handle) {
                    String owner = handle.owner().descriptorString();
                    calls.add(
                            owner.substring(1, owner.length() - 1)
                                    + "."
                                    + handle.methodName()
                                    + handle.lookupDescriptor());
                }
            }
        }
    }

    /** What may run when a method is called: itself, inherited, and in all classes below. */
    private static Set<String> targets(String method) {
        Set<String> targets = new HashSet<>();
        String owner = method.substring(0, method.indexOf('.'));
        String signature = method.substring(method.indexOf('.'));
        for (String type = owner; type != null; type = ABOVE.get(type)) {
            if (CALLS.containsKey(type + signature)) {
                targets.add(type + signature);
                break;
            }
        }
        Deque<String> below = new ArrayDeque<>(List.of(owner));
        while (!below.isEmpty()) {
            for (String type : BELOW.getOrDefault(below.pop(), Set.of())) {
                below.push(type);
                if (CALLS.containsKey(type + signature)) {
                    targets.add(type + signature);
                }
            }
        }
        return targets;
    }

    /** How a method comes to call the recorder, innermost first; empty if it does not. */
    private static List<String> wayToTheRecorder(String from) {
        assertThat(CALLS).as("there is such a method").containsKey(from);
        Map<String, String> caller = new HashMap<>();
        Deque<String> open = new ArrayDeque<>(targets(from));
        open.forEach(target -> caller.put(target, ""));
        while (!open.isEmpty()) {
            String method = open.pop();
            if (method.startsWith(RECORDER)) {
                List<String> way = new ArrayList<>();
                for (String m = method; !m.isEmpty(); m = caller.get(m)) {
                    way.add(m);
                }
                return way;
            }
            for (String called : CALLS.getOrDefault(method, Set.of())) {
                if (called.startsWith(API) && !called.startsWith(SOFT)) {
                    for (String target : targets(called)) {
                        if (!target.startsWith(SOFT)
                                && caller.putIfAbsent(target, method) == null) {
                            open.push(target);
                        }
                    }
                }
            }
        }
        return List.of();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "CqEvent.close()V",
                "CompletionQueue.ackEvents(I)V",
                "CompletionQueue.ackAwaited()V",
                "CompletionQueue.poll(Lio/loomverbs/WorkCompletions;)I",
                "QueuePair.postSend(Lio/loomverbs/SendWorkRequest;)V",
                "QueuePair.postRecv(Lio/loomverbs/RecvWorkRequest;)V",
            })
    void isFreeOfTheRecorder(String method) {
        assertThat(wayToTheRecorder(API + method)).isEmpty();
    }

    /** Else the test above could not fail. */
    @Test
    void whatCallsTheRecorderIsFound() {
        assertThat(wayToTheRecorder(API + "CompletionQueue.reqNotify(Z)V")).isNotEmpty();
        assertThat(
                        wayToTheRecorder(
                                API
                                        + "CqEvent.of(Lio/loomverbs/internal/event/QueuedCq;)"
                                        + "Lio/loomverbs/CqEvent;"))
                .isNotEmpty();
        assertThat(
                        wayToTheRecorder(
                                API
                                        + "internal/event/EventSource.await(JLio/loomverbs/"
                                        + "internal/event/EventSource$Leader;)I"))
                .as("through an interface")
                .isNotEmpty();
    }
}

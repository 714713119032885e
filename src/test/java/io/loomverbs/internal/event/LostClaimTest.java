package io.loomverbs.internal.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.io.IOException;
import java.io.InputStream;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.CodeTransform;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.lang.reflect.Method;

/**
 * The stack ends between a claim that does not fit and taking it back, which a test cannot cause by
 * recursion: so in a copy of the ledger the step between meets an Error.
 */
@Timeout(60)
public class LostClaimTest {
    private static int errors;

    /** Called by the copy as it takes back a claim. */
    public static void meet() {
        if (errors > 0) {
            errors--;
            throw new StackOverflowError("planted");
        }
    }

    private static final class Copies extends ClassLoader {
        private static final String LEDGER = Ledger.class.getName();
        private static final ClassDesc TEST = LostClaimTest.class.describeConstable().orElseThrow();

        Copies() {
            super(LostClaimTest.class.getClassLoader());
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            if (!name.startsWith(LEDGER)) {
                return super.loadClass(name, resolve);
            }
            Class<?> loaded = findLoadedClass(name);
            return loaded == null ? define(name) : loaded;
        }

        private Class<?> define(String name) throws ClassNotFoundException {
            String file = name.replace('.', '/') + ".class";
            try (InputStream in = getResourceAsStream(file)) {
                ClassModel model = ClassFile.of().parse(in.readAllBytes());
                byte[] copy =
                        ClassFile.of()
                                .transformClass(
                                        model,
                                        ClassTransform.transformingMethodBodies(
                                                m -> m.methodName().equalsString("settled"),
                                                meeting()));
                return defineClass(name, copy, 0, copy.length);
            } catch (IOException e) {
                throw new ClassNotFoundException(name, e);
            }
        }

        private static CodeTransform meeting() {
            return CodeTransform.ofStateful(
                    () -> {
                        boolean[] begun = {false};
                        return (code, element) -> {
                            if (!begun[0]) {
                                begun[0] = true;
                                code.invokestatic(
                                        TEST, "meet", MethodTypeDesc.of(ConstantDescs.CD_void));
                            }
                            code.with(element);
                        };
                    });
        }
    }

    private final Object ledger =
            Class.forName(Ledger.class.getName(), true, new Copies())
                    .getDeclaredConstructor()
                    .newInstance();

    LostClaimTest() throws ReflectiveOperationException {}

    @AfterEach
    void noErrorIsLeft() {
        assertThat(errors).isZero();
    }

    private int call(String name, int... n) throws ReflectiveOperationException {
        Class<?>[] types = n.length == 0 ? new Class<?>[0] : new Class<?>[] {int.class};
        Method method = ledger.getClass().getDeclaredMethod(name, types);
        method.setAccessible(true);
        return (int) (n.length == 0 ? method.invoke(ledger) : method.invoke(ledger, n[0]));
    }

    /** It changes nothing, and the next thread takes it back. */
    @Test
    void anAcknowledgementThatThrowsChangesNothing() throws Exception {
        deliver(5);
        errors = 1;
        assertThatThrownBy(() -> call("tryAck", 10)).hasRootCauseMessage("planted");
        assertThat(call("outstanding")).isEqualTo(5);
        assertThat(call("tryAck", 5)).isEqualTo(Ledger.ACKED);
    }

    /** Nor does the thread that is to take it back and meets another Error. */
    @Test
    void aThreadThatCannotTakeItBackLeavesItToTheNext() throws Exception {
        deliver(5);
        errors = 2;
        assertThatThrownBy(() -> call("tryAck", 10)).hasRootCauseMessage("planted");
        assertThatThrownBy(() -> call("outstanding")).hasRootCauseMessage("planted");
        assertThat(call("outstanding")).isEqualTo(5);
    }

    private void deliver(int events) throws ReflectiveOperationException {
        for (int i = 0; i < events; i++) {
            assertThat(call("tryDeliver")).isEqualTo(Ledger.DELIVERED);
        }
    }
}

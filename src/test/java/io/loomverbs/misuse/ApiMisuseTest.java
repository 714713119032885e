package io.loomverbs.misuse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.loomverbs.ClosedException;
import io.loomverbs.CqEvent;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.lang.reflect.Array;
import java.lang.reflect.Executable;
import java.lang.reflect.Parameter;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Bad input and closed objects, for every public method of the API. What is public is found by
 * reflection, so a new method fails these tests until it is entered in the tables.
 */
@Timeout(60)
@SuppressWarnings("try") // explicit closes are what is tried
class ApiMisuseTest {
    /** Methods with parameters of which every value is good, null aside. */
    private static final Set<String> ANYTHING_GOES =
            Set.of(
                    "ClosedException(Object)",
                    "CompletionQueue.poll(WorkCompletions)",
                    "Context.addWaits(Supplier)",
                    "Context.chooseCompVector(VectorPolicy)",
                    "Context.compVectorFor(int)",
                    "CqConfig.withChannel(CompletionChannel)",
                    "CqConfig.withCqContext(Object)",
                    "CqConfig.withFields(WcField[])",
                    "CqConfig.withWaitStrategy(WaitStrategy)",
                    "CqGroup.await(GroupCompletions)",
                    "CqGroup.remove(CompletionQueue)",
                    "DeviceAttributes.has(DeviceCapability)",
                    "Gid(long, long)",
                    "MemoryWindow.incRkey(int)",
                    "ProtectionDomain.allocMw(MwType)",
                    "ExtendedDeviceAttributes.nanos(long, long)",
                    "MrChanges.withAccess(Access[])",
                    "MrChanges.withMemory(MemorySegment)",
                    "MrChanges.withPd(ProtectionDomain)",
                    "QpAttributes.Builder.address(AhAttributes)",
                    "QpAttributes.Builder.curState(QpState)",
                    "QpAttributes.Builder.enSqdAsyncNotify(boolean)",
                    "QpAttributes.Builder.qkey(int)",
                    "QpAttributes.Builder.state(QpState)",
                    "QpConfig.of(QpType, CompletionQueue)",
                    "QpConfig.of(QpType, CompletionQueue, CompletionQueue)",
                    "QpConfig.withQpContext(Object)",
                    "QpConfig.withSqSigAll(boolean)",
                    "QpConfig.withSrq(SharedReceiveQueue)",
                    "QueuePair.addressOf(QpEndpoint)",
                    "RecvWorkRequest.wrId(long)",
                    "SendWorkRequest.localInv(int)",
                    "SendWorkRequest.sendWithInv(int)",
                    "SendWorkRequest.compareAndSwap(long, int, long, long)",
                    "SendWorkRequest.fetchAndAdd(long, int, long)",
                    "SendWorkRequest.rdmaRead(long, int)",
                    "SendWorkRequest.rdmaWrite(long, int)",
                    "SendWorkRequest.rdmaWriteWithImm(long, int, int)",
                    "SendWorkRequest.sendWithImm(int)",
                    "SendWorkRequest.wrId(long)",
                    "cm.ConnectionManager.of(Device)",
                    "blocking.Buffer.of(MemoryRegion)",
                    "blocking.RemoteRegion.of(MemoryRegion)",
                    "blocking.RemoteRegion.through(MemoryWindow)",
                    "Serving.of(CompletionChannel, ChannelHandler, FailurePolicy)");

    static List<Misuse> bad() {
        return Stream.of(
                        new ContextMisuse(),
                        new QueueMisuse(),
                        new DomainMisuse(),
                        new QueuePairMisuse(),
                        new SrqMisuse(),
                        new WindowMisuse(),
                        new GroupMisuse(),
                        new ServingMisuse(),
                        new RequestMisuse(),
                        new SgeMisuse(),
                        new CompletionsMisuse(),
                        new ValueMisuse(),
                        new ConnectionMisuse(),
                        new BlockingMisuse())
                .flatMap(table -> table.rows().stream())
                .toList();
    }

    /** Bad input is refused with an exception that says what is wrong, and changes nothing. */
    @ParameterizedTest
    @MethodSource
    void bad(Misuse bad) throws Exception {
        try (Scene scene = new Scene()) {
            Throwable thrown = catchThrowable(() -> bad.attempt().on(scene));
            assertThat(thrown).isInstanceOf(bad.exception());
            for (String part : bad.message()) {
                assertThat(thrown).hasMessageContaining(part);
            }
        }
    }

    /** Every method that takes something is tried with something bad, or said to take anything. */
    @Test
    void everyMethodIsTriedWithBadInput() {
        Set<String> expected =
                ApiMethods.all().entrySet().stream()
                        .filter(e -> e.getValue().getParameterCount() > 0)
                        .map(Map.Entry::getKey)
                        .collect(Collectors.toCollection(TreeSet::new));
        Set<String> tried = bad().stream().map(Misuse::method).collect(Collectors.toSet());
        Set<String> known = new TreeSet<>(tried);
        known.addAll(ANYTHING_GOES);
        assertThat(known)
                .as("entries of methods that do not exist")
                .isSubsetOf(ApiMethods.all().keySet());
        assertThat(known).as("methods without an entry").containsAll(expected);
        assertThat(tried).doesNotContainAnyElementsOf(ANYTHING_GOES);
    }

    /** Null is refused for every reference that is not marked as nullable, by its name. */
    @Test
    void nullIsRefusedEverywhere() throws Exception {
        Set<String> tried = new HashSet<>();
        try (Scene scene = new Scene()) {
            Samples samples = new Samples(scene);
            for (Map.Entry<String, Executable> entry : ApiMethods.all().entrySet()) {
                Executable e = entry.getValue();
                Parameter[] parameters = e.getParameters();
                for (int i = 0; i < parameters.length; i++) {
                    Class<?> type = parameters[i].getType();
                    if (type.isPrimitive() || ApiMethods.isNullable(parameters[i])) {
                        continue;
                    }
                    Object[] arguments = samples.arguments(e);
                    arguments[i] = null;
                    String name = parameters[i].getName();
                    refusesNull(name, entry.getKey(), e, samples.receiver(e), arguments);
                    if (type.isArray() && !type.getComponentType().isPrimitive()) {
                        arguments[i] = Array.newInstance(type.getComponentType(), 2);
                        refusesNull(name, entry.getKey(), e, samples.receiver(e), arguments);
                    }
                    tried.add(entry.getKey());
                }
            }
        }
        assertThat(tried).hasSizeGreaterThan(25);
    }

    private static void refusesNull(
            String name, String what, Executable e, Object target, Object[] arguments) {
        assertThat(catchThrowable(() -> ApiMethods.invoke(e, target, arguments)))
                .as(what)
                .isExactlyInstanceOf(NullPointerException.class)
                .hasMessage(name + " is null");
    }

    /** Every method of everything that can be closed has an entry that says what it does then. */
    @Test
    void everyMethodIsTriedAfterClose() {
        assertThat(AfterClose.OF.keySet())
                .containsExactlyInAnyOrderElementsOf(ApiMethods.ofWhatCanBeClosed().keySet());
    }

    static Set<String> afterClose() {
        return new TreeSet<>(AfterClose.OF.keySet());
    }

    /** After close each method does what its entry says, and what it says of itself still works. */
    @ParameterizedTest
    @MethodSource
    void afterClose(String name) throws Exception {
        Executable method = ApiMethods.ofWhatCanBeClosed().get(name);
        try (Scene scene = new Scene()) {
            Samples samples = new Samples(scene);
            AutoCloseable target = samples.closable(method.getDeclaringClass(), name);
            Object before =
                    AfterClose.OF.get(name) == AfterClose.HARMLESS
                            ? ApiMethods.invoke(method, target, samples.arguments(method))
                            : null;
            String text = target.toString();
            target.close();
            Object[] arguments = samples.arguments(method);

            Throwable thrown = null;
            Object result = null;
            for (int i = 0; i < 2; i++) {
                try {
                    result = ApiMethods.invoke(method, target, arguments);
                } catch (Exception e) {
                    thrown = e;
                }
            }

            switch (AfterClose.OF.get(name)) {
                case CLOSED ->
                        assertThat(thrown)
                                .isExactlyInstanceOf(ClosedException.class)
                                .hasMessage(text + " is closed");
                case STATE ->
                        assertThat(thrown)
                                .isExactlyInstanceOf(IllegalStateException.class)
                                .hasMessageContaining(text);
                case NOTHING -> assertThat(thrown).isNull();
                case HARMLESS -> {
                    assertThat(thrown).isNull();
                    assertThat(result).isEqualTo(before);
                }
            }
            if (!(target instanceof CqEvent)) {
                assertThat(target).hasToString(text);
            }
        }
    }
}

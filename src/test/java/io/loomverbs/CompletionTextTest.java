package io.loomverbs;

import static org.assertj.core.api.Assertions.assertThat;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.loomverbs.internal.device.WcStruct;
import io.loomverbs.internal.event.AsyncQueue.Raised;
import io.loomverbs.support.Fixture;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.lang.foreign.MemorySegment;
import java.lang.reflect.Method;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.Set;

/** What a completion and an event say of themselves, also one of a kind that has no name. */
class CompletionTextTest {
    private static final int SUCCESS = 0;

    /** A completion as a device writes it, every field another number. */
    private static WorkCompletions batch(int status, int opcode) {
        WorkCompletions batch = WorkCompletions.allocate(1);
        MemorySegment memory = batch.memory();
        WcStruct.put(memory, 0, 71, status, opcode, 72, 73, 0x2a, 75, 3, 76, 5);
        memory.set(JAVA_INT, 16, 77); // vendor_err
        memory.set(JAVA_SHORT, 40, (short) 78); // pkey_index
        memory.set(JAVA_BYTE, 44, (byte) 79); // sl
        memory.set(JAVA_BYTE, 45, (byte) 0x80); // dlid_path_bits
        batch.size(1);
        return batch;
    }

    /** Anything else is whatever was in the memory before. */
    @ParameterizedTest
    @EnumSource(
            mode = EnumSource.Mode.EXCLUDE,
            names = {"SUCCESS", "OTHER"})
    @SuppressWarnings("EnumOrdinal") // they stand in the order of their numbers
    void aFailedCompletionShowsWhatIsValid(WcStatus status) {
        WorkCompletions batch = batch(status.ordinal(), 4);
        String text =
                "WorkCompletion[wrId=71, status=" + status + ", qpNum=0x00002a, vendorError=77]";
        assertThat(batch.get(0)).hasToString(text);
        assertThat(batch).hasToString("[" + text + "]");
    }

    @Test
    void aGoodCompletionShowsTheMessage() {
        assertThat(batch(SUCCESS, 128).get(0))
                .hasToString(
                        "WorkCompletion[wrId=71, status=SUCCESS, qpNum=0x00002a, opcode=RECV,"
                                + " byteLen=72, immData=0x49000000, srcQp=0x00004b]");
    }

    /** What only an extended CQ has: 0 in a copy, and refused by the batch. */
    private static final Set<String> EXTRAS =
            Set.of("timestamp", "wallclockNanos", "cvlan", "flowTag");

    /** A copy has all that the batch of a plain CQ has, under the same names. */
    @Test
    void aCopyIsWhole() throws ReflectiveOperationException {
        WorkCompletions batch = batch(SUCCESS, 128);
        WorkCompletion copy = batch.get(0);
        for (RecordComponent component : WorkCompletion.class.getRecordComponents()) {
            if (EXTRAS.contains(component.getName())) {
                assertThat(((Number) component.getAccessor().invoke(copy)).longValue()).isZero();
                continue;
            }
            Method method = WorkCompletions.class.getMethod(component.getName(), int.class);
            assertThat(component.getAccessor().invoke(copy))
                    .as(component.getName())
                    .isEqualTo(method.invoke(batch, 0));
        }
        long perIndex =
                Arrays.stream(WorkCompletions.class.getMethods())
                        .filter(m -> m.getDeclaringClass() == WorkCompletions.class)
                        .filter(m -> m.getParameterCount() == 1 && !m.getName().equals("allocate"))
                        .filter(m -> !Set.of("get", "isSuccess", "qp").contains(m.getName()))
                        .count();
        assertThat(WorkCompletion.class.getRecordComponents()).hasSize((int) perIndex);
        assertThat(copy.sl()).isEqualTo(79);
        assertThat(copy.dlidPathBits()).isEqualTo(0x80);
        assertThat(copy.slid()).isEqualTo(76);
        assertThat(copy.pkeyIndex()).isEqualTo(78);
        assertThat(copy.hasGrh()).isTrue();
    }

    /** A device may be newer than loomverbs: what it says is kept, and nothing is thrown. */
    @ParameterizedTest
    @ValueSource(ints = {24, 1000, -1, Integer.MIN_VALUE})
    void anUnknownStatusKeepsItsNumber(int number) {
        WorkCompletions batch = batch(number, 4);
        assertThat(batch.status(0)).isEqualTo(WcStatus.OTHER);
        assertThat(batch.statusNumber(0)).isEqualTo(number);
        assertThat(batch.isSuccess(0)).isFalse();
        assertThat(batch.get(0).toString()).contains("status=OTHER(" + number + ")");
    }

    @ParameterizedTest
    @ValueSource(ints = {7, 9, 127, 130, -1})
    void anUnknownOpcodeKeepsItsNumber(int number) {
        WorkCompletions batch = batch(SUCCESS, number);
        assertThat(batch.opcode(0)).isEqualTo(WcOpcode.OTHER);
        assertThat(batch.opcodeNumber(0)).isEqualTo(number);
        assertThat(batch.get(0).toString()).contains("opcode=OTHER(" + number + ")");
    }

    @ParameterizedTest
    @ValueSource(ints = {19, 20, 99, -7})
    @SuppressWarnings("try") // joins threads, which may be interrupted
    void anUnknownEventKeepsItsNumber(int number) throws Exception {
        try (Fixture f = new Fixture()) {
            AsyncEvents events = new AsyncEvents(f.context);
            AsyncEvent event = new AsyncEvent(events, new Raised(number, 2, null, null));
            assertThat(event.type()).isEqualTo(AsyncEventType.OTHER);
            assertThat(event.typeNumber()).isEqualTo(number);
            assertThat(event).hasToString("OTHER(" + number + ") of port 2");
            event.close();
        }
    }
}

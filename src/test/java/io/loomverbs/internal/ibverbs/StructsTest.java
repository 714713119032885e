package io.loomverbs.internal.ibverbs;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.internal.device.AhAttr;
import io.loomverbs.internal.device.DeviceAttr;
import io.loomverbs.internal.device.PortAttr;
import io.loomverbs.internal.device.QpAttr;
import io.loomverbs.internal.device.QpCap;
import io.loomverbs.internal.ffi.CProgram;
import io.loomverbs.internal.ffi.IbvLayouts.IbvAhAttr;
import io.loomverbs.internal.ffi.IbvLayouts.IbvDeviceAttr;
import io.loomverbs.internal.ffi.IbvLayouts.IbvPortAttr;
import io.loomverbs.internal.ffi.IbvLayouts.IbvQpAttr;
import io.loomverbs.internal.ffi.IbvLayouts.IbvQpInitAttr;
import io.loomverbs.internal.ffi.Struct;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.lang.foreign.Arena;
import java.lang.reflect.Field;
import java.lang.reflect.RecordComponent;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What Java reads from a structure is what C reads from the same bytes: the right place, width,
 * sign and byte order of every field. What Java writes is what it reads.
 */
class StructsTest {
    private static final int ACTIVE_SPEED_EX = 52;

    /** Larger than any structure here. */
    private static final int BYTES = 1024;

    @TempDir private Path dir;

    private static Struct patterned(Arena arena) {
        Struct struct = Struct.allocate(arena, BYTES);
        for (int i = 0; i < BYTES; i++) {
            struct.u8(i, i * 37 + 11);
        }
        return struct;
    }

    /** What C reads from bytes of the same pattern. */
    private Map<String, Long> read(String struct, Map<String, String> expressions)
            throws Exception {
        StringBuilder body =
                new StringBuilder(
                        """
                        static unsigned char raw[1024] __attribute__((aligned(8)));
                        for (int i = 0; i < 1024; i++) raw[i] = i * 37 + 11;
                        struct %s *s = (struct %s *) raw;
                        """
                                .formatted(struct, struct));
        expressions.forEach(
                (name, expression) ->
                        body.append("printf(\"%lld\\n\", (long long) ")
                                .append(expression)
                                .append("); /* ")
                                .append(name)
                                .append(" */\n"));
        List<String> lines = CProgram.run(dir, body.toString());
        Map<String, Long> values = new LinkedHashMap<>();
        for (String name : expressions.keySet()) {
            values.put(name, Long.parseLong(lines.get(values.size())));
        }
        return values;
    }

    private static String snake(String name) {
        return name.replaceAll("(?<=[a-z])(?=[A-Z])", "_").toLowerCase(Locale.ROOT);
    }

    /** The numbers of a record, but for those named. */
    private static Map<String, Long> numbers(Record record, String... without) throws Exception {
        Map<String, Long> numbers = new LinkedHashMap<>();
        for (RecordComponent component : record.getClass().getRecordComponents()) {
            if (!List.of(without).contains(component.getName())) {
                Object value = component.getAccessor().invoke(record);
                numbers.put(
                        component.getName(),
                        value instanceof Boolean b ? (b ? 1L : 0L) : ((Number) value).longValue());
            }
        }
        return numbers;
    }

    private static Map<String, String> fieldsOf(Map<String, Long> numbers, String prefix) {
        Map<String, String> expressions = new LinkedHashMap<>();
        numbers.keySet().forEach(name -> expressions.put(name, prefix + snake(name)));
        return expressions;
    }

    /** Java's {@code int} may stand for an unsigned number. */
    private static void same(Map<String, Long> java, Map<String, Long> c) {
        Map<String, Long> narrowed = new LinkedHashMap<>(c);
        List<String> wrong = new ArrayList<>();
        java.forEach(
                (name, value) -> {
                    long other = narrowed.get(name);
                    if (value != other && value != (int) other) {
                        wrong.add(name + " is " + value + " in Java and " + other + " in C");
                    }
                });
        assertThat(wrong).isEmpty();
        assertThat(java).isNotEmpty().hasSameSizeAs(c);
    }

    @Test
    void deviceAttributes() throws Exception {
        try (Arena arena = Arena.ofConfined()) {
            Struct struct = patterned(arena);
            byte[] version = "1.2.3".getBytes(StandardCharsets.UTF_8);
            for (int i = 0; i <= version.length; i++) {
                struct.u8(IbvDeviceAttr.FW_VER + i, i < version.length ? version[i] : 0);
            }
            DeviceAttr attr = Attributes.device(struct, 3);
            assertThat(attr.fwVer()).isEqualTo("1.2.3");
            assertThat(attr.numCompVectors()).isEqualTo(3);
            Map<String, Long> java = numbers(attr, "fwVer", "maxInlineData", "numCompVectors");
            Map<String, String> fields = fieldsOf(java, "s->");
            fields.put("nodeGuid", "be64toh(s->node_guid)");
            fields.put("sysImageGuid", "be64toh(s->sys_image_guid)");
            same(java, read("ibv_device_attr", fields));
        }
    }

    @Test
    void portAttributes() throws Exception {
        try (Arena arena = Arena.ofConfined()) {
            Struct struct = patterned(arena);
            struct.i32(ACTIVE_SPEED_EX, 0); // as of a library that does not know it
            PortAttr attr = Attributes.port(struct);
            Map<String, Long> java = numbers(attr);
            same(java, read("ibv_port_attr", fieldsOf(java, "s->")));
        }
    }

    /** A speed that does not fit into the byte is behind it, in newer versions of libibverbs. */
    @Test
    void extendedSpeed() {
        try (Arena arena = Arena.ofConfined()) {
            Struct struct = Struct.allocate(arena, BYTES);
            struct.u8(IbvPortAttr.ACTIVE_SPEED, 128);
            assertThat(Attributes.port(struct).activeSpeed()).isEqualTo(128);
            struct.i32(ACTIVE_SPEED_EX, 256);
            assertThat(Attributes.port(struct).activeSpeed()).isEqualTo(256);
        }
    }

    private static Map<String, Long> numbers(QpAttr attr) throws Exception {
        Map<String, Long> numbers = new LinkedHashMap<>();
        for (Field field : QpAttr.class.getFields()) {
            if (field.getType() == int.class) {
                numbers.put(field.getName(), (long) field.getInt(attr));
            }
        }
        return numbers;
    }

    @Test
    void attributesOfQueuePairs() throws Exception {
        try (Arena arena = Arena.ofConfined()) {
            Struct struct = patterned(arena);
            QpAttr attr = new QpAttr();
            QpAttrs.read(struct, attr);
            Map<String, Long> java = numbers(attr);
            same(java, read("ibv_qp_attr", fieldsOf(java, "s->")));
            Map<String, Long> address = numbers(attr.av);
            same(address, read("ibv_qp_attr", addressFields(address, "s->ah_attr.")));

            Struct copy = Struct.allocate(arena, IbvQpAttr.BYTES);
            QpAttrs.write(attr, copy);
            QpAttr again = new QpAttr();
            QpAttrs.read(copy, again);
            java.put("sqDraining", 0L); // only ever read
            assertThat(numbers(again)).isEqualTo(java);
            assertThat(again.av).isEqualTo(attr.av);
        }
    }

    private static Map<String, String> addressFields(Map<String, Long> numbers, String prefix) {
        Map<String, String> fields = fieldsOf(numbers, prefix);
        for (String name : List.of("sgidIndex", "hopLimit", "trafficClass", "flowLabel")) {
            fields.put(name, prefix + "grh." + snake(name));
        }
        fields.put("dgidHigh", "be64toh(" + prefix + "grh.dgid.global.subnet_prefix)");
        fields.put("dgidLow", "be64toh(" + prefix + "grh.dgid.global.interface_id)");
        fields.put("global", "!!" + prefix + "is_global");
        return fields;
    }

    @Test
    void addresses() throws Exception {
        try (Arena arena = Arena.ofConfined()) {
            AhAttr attr = IbvAh.read(patterned(arena), 0);
            Map<String, Long> java = numbers(attr);
            same(java, read("ibv_ah_attr", addressFields(java, "s->")));
            Struct copy = Struct.allocate(arena, IbvAhAttr.BYTES);
            IbvAh.write(attr, copy, 0);
            assertThat(IbvAh.read(copy, 0)).isEqualTo(attr);
        }
    }

    @Test
    void capacitiesOfQueuePairs() throws Exception {
        try (Arena arena = Arena.ofConfined()) {
            QpCap cap = granted(patterned(arena));
            Map<String, Long> java = numbers(cap);
            same(java, read("ibv_qp_init_attr", fieldsOf(java, "s->cap.")));
            Struct copy = Struct.allocate(arena, IbvQpInitAttr.BYTES);
            QpAttrs.writeCap(cap, copy);
            assertThat(granted(copy)).isEqualTo(cap);
        }
    }

    private static QpCap granted(Struct attr) {
        int[] fields = new int[5];
        QpAttrs.readCap(attr, fields);
        return QpAttrs.cap(fields);
    }
}

package io.loomverbs.internal.ffi;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.RecvWr;
import io.loomverbs.internal.device.SendWr;
import io.loomverbs.internal.device.WcStruct;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Every offset, size and number that is written down in Java, against the installed headers. They
 * are found by reflection: one that is added is compared, or, if C does not know its name, fails.
 */
class LayoutsTest {
    /** Where the C name does not follow from the Java name. */
    private static final Map<String, String> NAMES =
            Map.ofEntries(
                    Map.entry("ibv_send_wr.REMOTE_ADDR", "wr.rdma.remote_addr"),
                    Map.entry("ibv_send_wr.RDMA_RKEY", "wr.rdma.rkey"),
                    Map.entry("ibv_send_wr.ATOMIC_COMPARE_ADD", "wr.atomic.compare_add"),
                    Map.entry("ibv_send_wr.ATOMIC_SWAP", "wr.atomic.swap"),
                    Map.entry("ibv_send_wr.ATOMIC_RKEY", "wr.atomic.rkey"),
                    Map.entry("ibv_send_wr.UD_AH", "wr.ud.ah"),
                    Map.entry("ibv_send_wr.UD_REMOTE_QPN", "wr.ud.remote_qpn"),
                    Map.entry("ibv_send_wr.UD_REMOTE_QKEY", "wr.ud.remote_qkey"));

    /** How many there were when this was written: fewer means that the search is broken. */
    private static final int AT_LEAST = 230;

    @TempDir private Path dir;

    /** A number in Java, and the C expression that must have its value. */
    private record Claim(String what, String expression, long value) {}

    @Test
    void everyNumberIsThatOfTheHeaders() throws Exception {
        List<Claim> claims = claims();
        assertThat(claims.size()).isGreaterThan(AT_LEAST);
        assertThat(wrong(claims)).isEmpty();
    }

    /** A wrong number is found, and named with its structure and field. */
    @Test
    void aWrongNumberIsNamed() throws Exception {
        List<Claim> claims = claims();
        Claim right =
                claims.stream()
                        .filter(c -> c.what().equals("ibv_qp_attr.pkey_index"))
                        .findFirst()
                        .orElseThrow();
        claims.set(
                claims.indexOf(right),
                new Claim(right.what(), right.expression(), right.value() + 2));
        assertThat(wrong(claims))
                .containsExactly("ibv_qp_attr.pkey_index is 122 in Java and 120 in C");
    }

    /** The name of every error number is that of the C library. */
    @Test
    void errorNumbersHaveTheirNames() throws Exception {
        List<String> names =
                CProgram.run(
                        dir,
                        """
                        for (int i = 0; i <= 140; i++) {
                            const char *name = i == 0 ? NULL : strerrorname_np(i);
                            if (name) puts(name); else printf("errno %d\\n", i);
                        }
                        """);
        List<String> java = new ArrayList<>();
        for (int i = 0; i <= 140; i++) {
            java.add(Errno.name(i));
        }
        assertThat(java).isEqualTo(names);
        assertThat(Errno.name(-1)).isEqualTo("errno -1");
    }

    /** The remote address of an atomic operation is where that of a WRITE is. */
    @Test
    void sharedFieldsAreInOnePlace() throws Exception {
        assertThat(
                        CProgram.run(
                                dir,
                                """
                                #define AT(f) offsetof(struct ibv_send_wr, f)
                                printf("%d\\n", AT(wr.rdma.remote_addr) == AT(wr.atomic.remote_addr));
                                """))
                .containsExactly("1");
    }

    private List<String> wrong(List<Claim> claims) throws Exception {
        StringBuilder body = new StringBuilder();
        for (Claim claim : claims) {
            body.append("printf(\"%lld\\n\", (long long) (").append(claim.expression());
            body.append(")); /* ").append(claim.what()).append(" */\n");
        }
        List<String> values = CProgram.run(dir, body.toString());
        assertThat(values).hasSameSizeAs(claims);
        List<String> wrong = new ArrayList<>();
        for (int i = 0; i < values.size(); i++) {
            Claim claim = claims.get(i);
            if (Long.parseLong(values.get(i)) != claim.value()) {
                wrong.add(
                        claim.what()
                                + " is "
                                + claim.value()
                                + " in Java and "
                                + values.get(i)
                                + " in C");
            }
        }
        return wrong;
    }

    private static List<Claim> claims() throws ReflectiveOperationException {
        List<Claim> claims = new ArrayList<>();
        for (Class<?> struct : IbvLayouts.class.getDeclaredClasses()) {
            addStruct(claims, snake(struct.getSimpleName()), struct);
        }
        addStruct(claims, "ibv_send_wr", SendWr.class);
        addStruct(claims, "ibv_recv_wr", RecvWr.class);
        addStruct(claims, "ibv_wc", WcStruct.class);
        addStruct(claims, "ibv_sge", Class.forName("io.loomverbs.internal.device.Sge"));
        numbers(Ibv.class)
                .forEach(
                        (name, value) ->
                                claims.add(
                                        name.equals("GRH_BYTES")
                                                ? new Claim(name, "sizeof(struct ibv_grh)", value)
                                                : new Claim("IBV_" + name, "IBV_" + name, value)));
        numbers(Errno.class).forEach((name, value) -> claims.add(new Claim(name, name, value)));
        return claims;
    }

    private static void addStruct(List<Claim> claims, String struct, Class<?> java)
            throws ReflectiveOperationException {
        numbers(java).forEach((name, value) -> claims.add(claim(struct, name, value)));
    }

    private static Claim claim(String struct, String name, int value) {
        if (name.equals("BYTES")) {
            return new Claim("sizeof " + struct, "sizeof(struct " + struct + ")", value);
        }
        if (name.endsWith("_BYTES")) {
            String field = cName(struct, name.substring(0, name.length() - "_BYTES".length()));
            return new Claim(
                    "sizeof " + struct + "." + field,
                    "sizeof(((struct " + struct + " *) 0)->" + field + ")",
                    value);
        }
        String field = cName(struct, name);
        return new Claim(
                struct + "." + field, "offsetof(struct " + struct + ", " + field + ")", value);
    }

    private static String cName(String struct, String name) {
        return NAMES.getOrDefault(
                struct + "." + name, name.toLowerCase(Locale.ROOT).replace("__", "."));
    }

    private static Map<String, Integer> numbers(Class<?> java) throws ReflectiveOperationException {
        Map<String, Integer> numbers = new LinkedHashMap<>();
        for (Field field : java.getDeclaredFields()) {
            if (Modifier.isStatic(field.getModifiers()) && field.getType() == int.class) {
                field.setAccessible(true);
                numbers.put(field.getName(), field.getInt(null));
            }
        }
        assertThat(numbers).as("%s", java).isNotEmpty();
        return numbers;
    }

    private static String snake(String name) {
        return name.replaceAll("(?<=[a-z])(?=[A-Z])", "_").toLowerCase(Locale.ROOT);
    }
}

package io.loomverbs.internal.ffi;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.internal.cm.Cm;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.Ibv;
import io.loomverbs.internal.device.RecvWr;
import io.loomverbs.internal.device.SendWr;
import io.loomverbs.internal.device.WcStruct;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.lang.foreign.Arena;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Every offset, size and number that is written down in Java, against the installed headers, of
 * this machine and of AArch64. They are found by reflection: one that is added is compared, or, if
 * C does not know its name, fails.
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
                    Map.entry("ibv_send_wr.UD_REMOTE_QKEY", "wr.ud.remote_qkey"),
                    Map.entry("ibv_send_wr.BIND_MW", "bind_mw.mw"),
                    Map.entry("ibv_send_wr.BIND_RKEY", "bind_mw.rkey"),
                    Map.entry("ibv_send_wr.BIND_MR", "bind_mw.bind_info.mr"),
                    Map.entry("ibv_send_wr.BIND_ADDR", "bind_mw.bind_info.addr"),
                    Map.entry("ibv_send_wr.BIND_LENGTH", "bind_mw.bind_info.length"),
                    Map.entry("ibv_send_wr.BIND_ACCESS", "bind_mw.bind_info.mw_access_flags"));

    /** How many there were when this was written: fewer means that the search is broken. */
    private static final int AT_LEAST = 280;

    /** By how much a mutex exceeds the usual 40 bytes. */
    private static final String EXCESS = "(long) sizeof(pthread_mutex_t) - 40";

    @TempDir private Path dir;

    /**
     * A number in Java, and the C expression that must have its value.
     *
     * @param movesBy what C adds to the value in Java
     */
    private record Claim(String what, String expression, long value, String movesBy) {
        Claim(String what, String expression, long value) {
            this(what, expression, value, "0");
        }

        boolean moves() {
            return !movesBy.equals("0");
        }

        /** What Java has to hold, in C. */
        String inJava() {
            return "(" + expression + ") - (" + movesBy + ")";
        }
    }

    /** A compiler, and what Java calls the architecture that it compiles for. */
    enum Target {
        THIS("gcc", System.getProperty("os.arch")),
        AARCH64("aarch64-linux-gnu-gcc", "aarch64");

        final String compiler;
        final String arch;

        Target(String compiler, String arch) {
            this.compiler = compiler;
            this.arch = arch;
        }
    }

    @ParameterizedTest
    @EnumSource
    void everyNumberIsThatOfTheHeaders(Target target) throws Exception {
        List<Claim> claims = claims(target.arch);
        assertThat(claims.size()).isGreaterThan(AT_LEAST);
        assertThat(wrong(target, claims)).isEmpty();
    }

    /** What does not move has to be in one place, and what moves is found where it is. */
    @ParameterizedTest
    @EnumSource
    void theMutexIsOneOfTheSizesThatAreLookedFor(Target target) throws Exception {
        int excess =
                Math.toIntExact(
                        CProgram.constants(dir, target.compiler, List.of(EXCESS)).getFirst());
        assertThat(IbvLayouts.mutexExcesses(target.arch)).startsWith(excess);
        assertThat(claims(target.arch)).filteredOn(Claim::moves).isNotEmpty();
        try (Arena arena = Arena.ofConfined()) {
            Struct context = Struct.allocate(arena, IbvLayouts.IbvContext.BYTES + 64);
            int[] excesses = IbvLayouts.mutexExcesses(target.arch);
            assertThat(IbvLayouts.mutexExcess(context.address(), excesses)).isEqualTo(-1);
            context.i64(IbvLayouts.IbvContext.ABI_COMPAT + excess, ~0L);
            assertThat(IbvLayouts.mutexExcess(context.address(), excesses)).isEqualTo(excess);
        }
    }

    /** A wrong number is found, and named with its structure and field. */
    @ParameterizedTest
    @EnumSource
    void aWrongNumberIsNamed(Target target) throws Exception {
        List<Claim> claims = claims(target.arch);
        Claim right =
                claims.stream()
                        .filter(c -> c.what().equals("ibv_qp_attr.pkey_index"))
                        .findFirst()
                        .orElseThrow();
        claims.set(
                claims.indexOf(right),
                new Claim(right.what(), right.expression(), right.value() + 2));
        assertThat(wrong(target, claims))
                .containsExactly("ibv_qp_attr.pkey_index is 122 in Java and 120 in C");
    }

    /** A field behind a mutex that is not marked as such would be found on AArch64. */
    @Test
    void whatMovesUnmarkedIsNamed() throws Exception {
        List<Claim> unmarked =
                claims("aarch64").stream()
                        .map(c -> new Claim(c.what(), c.expression(), c.value()))
                        .toList();
        List<Claim> moving = claims("aarch64").stream().filter(Claim::moves).toList();
        assertThat(wrong(Target.AARCH64, unmarked))
                .contains(
                        "ibv_context.abi_compat is 320 in Java and 328 in C",
                        "sizeof ibv_context is 328 in Java and 336 in C",
                        "ibv_cq_ex.status is 132 in Java and 140 in C")
                .hasSameSizeAs(moving)
                .allMatch(text -> moving.stream().anyMatch(c -> text.startsWith(c.what() + " ")));
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

    private List<String> wrong(Target target, List<Claim> claims) throws Exception {
        List<Long> values =
                CProgram.constants(
                        dir, target.compiler, claims.stream().map(Claim::inJava).toList());
        assertThat(values).hasSameSizeAs(claims);
        List<String> wrong = new ArrayList<>();
        for (int i = 0; i < values.size(); i++) {
            Claim claim = claims.get(i);
            if (values.get(i) != claim.value()) {
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

    private static List<Claim> claims(String arch) throws ReflectiveOperationException {
        List<Claim> claims = new ArrayList<>();
        for (Class<?> struct : IbvLayouts.class.getDeclaredClasses()) {
            if (!struct.isAnnotation()) {
                addStruct(claims, snake(struct.getSimpleName()), struct);
            }
        }
        for (Class<?> struct : RdmacmLayouts.class.getDeclaredClasses()) {
            addStruct(claims, snake(struct.getSimpleName()), struct);
        }
        addStruct(claims, "ibv_send_wr", SendWr.class);
        addStruct(claims, "ibv_recv_wr", RecvWr.class);
        addStruct(claims, "ibv_wc", WcStruct.class);
        addStruct(claims, "ibv_sge", Class.forName("io.loomverbs.internal.device.Sge"));
        for (Field field : numbers(Ibv.class)) {
            String name = field.getName();
            claims.add(
                    name.equals("GRH_BYTES")
                            ? new Claim(name, "sizeof(struct ibv_grh)", field.getInt(null))
                            : new Claim("IBV_" + name, "IBV_" + name, field.getInt(null)));
        }
        addConnectionManagersNumbers(claims);
        addNumbers(claims, Errno.class, "E");
        addNumbers(claims, Epoll.class, "EPOLL|EFD_|ENO");
        addNumbers(claims, Libc.class, "[FO]_");
        int data = Epoll.dataOffset(arch);
        claims.add(new Claim("epoll_event.data", "offsetof(struct epoll_event, data)", data));
        claims.add(new Claim("sizeof epoll_event", "sizeof(struct epoll_event)", data + 8));
        return claims;
    }

    /** Those of rdma_cma.h; the others have no name there. */
    private static void addConnectionManagersNumbers(List<Claim> claims)
            throws ReflectiveOperationException {
        for (Field field : numbers(Cm.class)) {
            String name = field.getName();
            if (name.matches("EVENT_\\w+")) {
                claims.add(new Claim(name, "RDMA_CM_" + name, field.getInt(null)));
            } else if (Set.of("PS_TCP", "PS_UDP", "UDP_QKEY", "MAX_RESP_RES").contains(name)) {
                claims.add(new Claim(name, "RDMA_" + name, field.getInt(null)));
            }
        }
    }

    /** The name of every event is that of librdmacm. */
    @Test
    void eventsHaveTheirNames() throws Exception {
        StringBuilder body = new StringBuilder();
        for (int i = 0; i <= Cm.EVENT_TIMEWAIT_EXIT; i++) {
            body.append("if (")
                    .append(Cm.event(i))
                    .append(" != ")
                    .append(i)
                    .append(") return 1;\n");
        }
        assertThat(CProgram.run(dir, body + "puts(\"alike\");")).containsExactly("alike");
    }

    /** Those whose names begin so are C's. */
    private static void addNumbers(List<Claim> claims, Class<?> java, String prefixes)
            throws ReflectiveOperationException {
        int before = claims.size();
        for (Field field : numbers(java)) {
            String name = field.getName();
            if (name.matches("(" + prefixes + ")\\w*")) {
                claims.add(new Claim(name, name, field.getInt(null)));
            }
        }
        assertThat(claims.size()).as("%s", java).isGreaterThan(before);
    }

    private static void addStruct(List<Claim> claims, String struct, Class<?> java)
            throws ReflectiveOperationException {
        for (Field field : numbers(java)) {
            boolean moves = field.isAnnotationPresent(IbvLayouts.AfterMutex.class);
            Claim claim = claim(struct, field.getName(), field.getInt(null));
            claims.add(
                    moves
                            ? new Claim(claim.what(), claim.expression(), claim.value(), EXCESS)
                            : claim);
        }
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

    private static List<Field> numbers(Class<?> java) {
        List<Field> numbers = new ArrayList<>();
        for (Field field : java.getDeclaredFields()) {
            if (Modifier.isStatic(field.getModifiers()) && field.getType() == int.class) {
                field.setAccessible(true);
                numbers.add(field);
            }
        }
        assertThat(numbers).as("%s", java).isNotEmpty();
        return numbers;
    }

    private static String snake(String name) {
        return name.replaceAll("(?<=[a-z])(?=[A-Z])", "_").toLowerCase(Locale.ROOT);
    }
}

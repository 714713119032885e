package io.loomverbs.project;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.CompletionQueue;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.CodeElement;
import java.lang.classfile.FieldModel;
import java.lang.classfile.MethodModel;
import java.lang.classfile.Opcode;
import java.lang.classfile.instruction.ConstantInstruction;
import java.lang.classfile.instruction.FieldInstruction;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.reflect.AccessFlag;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * How shared fields are accessed is what {@code docs/synchronization.md} says, field by field.
 *
 * <p>A weaker access mode may be wrong by the memory model and yet work on every x86: no test that
 * runs there can find it. So the modes are compared with what was thought through and written down:
 * {@code volatile}, and each operation of a VarHandle or an atomic with how often it occurs.
 */
class SynchronizationTableTest {
    private static final Path TABLE = Path.of("docs", "synchronization.md");
    private static final List<String> PACKAGES =
            List.of(
                    "",
                    "blocking/",
                    "cm/",
                    "micrometer/",
                    "testkit/",
                    "internal/device/",
                    "internal/event/",
                    "internal/ffi/",
                    "internal/ibverbs/",
                    "internal/rdmacm/",
                    "internal/soft/",
                    "internal/softcm/");
    private static final Pattern ROW = Pattern.compile("\\|([^|]*)\\|([^|]*)\\|([^|]*)\\|.*");
    private static final Pattern NAME = Pattern.compile("`((?:[A-Z]\\w*\\.)*)(\\w+)`");

    /** Named {@code Class.field}, as in the document: how the code accesses it. */
    private static final Map<String, String> ACCESS = new TreeMap<>();

    static {
        try {
            Path classes =
                    Path.of(
                            CompletionQueue.class
                                    .getProtectionDomain()
                                    .getCodeSource()
                                    .getLocation()
                                    .toURI());
            for (String name : PACKAGES) {
                try (Stream<Path> files = Files.list(classes.resolve("io/loomverbs/" + name))) {
                    for (Path file : files.filter(f -> f.toString().endsWith(".class")).toList()) {
                        read(ClassFile.of().parse(file));
                    }
                }
            }
        } catch (IOException | URISyntaxException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    @Test
    void everyFieldIsAccessedAsTheDocumentSays() throws IOException {
        Map<String, String> wrong = new TreeMap<>();
        documented()
                .forEach(
                        (field, access) -> {
                            String actual = ACCESS.getOrDefault(field, "there is no such field");
                            if (!access.equals(actual)) {
                                wrong.put(field, access + " in the document, but " + actual);
                            }
                        });
        assertThat(wrong).as("fields of %s", TABLE).isEmpty();
    }

    @Test
    void everyFieldThatIsAccessedAtomicallyIsInTheDocument() throws IOException {
        Map<String, String> missing = new TreeMap<>(ACCESS);
        missing.values().removeIf("plain"::equals);
        missing.keySet().removeAll(documented().keySet());
        assertThat(missing).as("not in %s", TABLE).isEmpty();
    }

    private static Map<String, String> documented() throws IOException {
        Map<String, String> fields = new TreeMap<>();
        for (String line : Files.readAllLines(TABLE)) {
            Matcher row = ROW.matcher(line);
            if (!row.matches()) {
                continue;
            }
            String owner = null;
            for (Matcher name = NAME.matcher(row.group(1)); name.find(); ) {
                owner = name.group(1).isEmpty() ? owner : name.group(1);
                if (owner != null) {
                    fields.put(owner + name.group(2), row.group(3).strip());
                }
            }
        }
        assertThat(fields).as("rows of %s", TABLE).hasSizeGreaterThan(20);
        return fields;
    }

    private static void read(ClassModel model) {
        String owner = model.thisClass().asInternalName();
        String shown = owner.substring(owner.lastIndexOf('/') + 1).replace('$', '.');
        Map<String, Map<String, Integer>> operations = new HashMap<>();
        Map<String, String> handles = new HashMap<>();
        Map<String, Integer> fences = new TreeMap<>();
        for (MethodModel method : model.methods()) {
            method.code().ifPresent(code -> handles(code.elementList(), handles));
        }
        for (MethodModel method : model.methods()) {
            method.code()
                    .ifPresent(
                            code ->
                                    operations(
                                            owner,
                                            code.elementList(),
                                            handles,
                                            operations,
                                            fences));
        }
        for (FieldModel field : model.fields()) {
            String name = field.fieldName().stringValue();
            boolean isVolatile = field.flags().has(AccessFlag.VOLATILE);
            if (field.flags().has(AccessFlag.STATIC)
                    && !isVolatile
                    && !operations.containsKey(name)) {
                continue;
            }
            List<String> access = new ArrayList<>();
            if (isVolatile) {
                access.add("`volatile`");
            }
            operations
                    .getOrDefault(name, Map.of())
                    .forEach((op, n) -> access.add("`" + op + "`" + (n > 1 ? " ×" + n : "")));
            if (access.isEmpty() && !field.flags().has(AccessFlag.FINAL)) {
                access.add("plain");
            }
            if (!access.isEmpty()) {
                ACCESS.put(shown + "." + name, String.join(", ", access));
            }
        }
        fences.forEach((fence, n) -> ACCESS.put(shown + "." + fence, "×" + n));
    }

    /** Which static VarHandle is that of which field. */
    private static void handles(List<CodeElement> code, Map<String, String> handles) {
        String field = null;
        for (CodeElement element : code) {
            if (element instanceof ConstantInstruction constant
                    && constant.constantValue() instanceof String text) {
                field = text;
            } else if (element instanceof FieldInstruction put
                    && put.opcode() == Opcode.PUTSTATIC
                    && put.type().stringValue().equals("Ljava/lang/invoke/VarHandle;")) {
                // One of array elements or of native memory stands under its own name.
                String handle = put.name().stringValue();
                handles.put(handle, field == null ? handle : field);
                field = null;
            }
        }
    }

    private static void operations(
            String owner,
            List<CodeElement> code,
            Map<String, String> handles,
            Map<String, Map<String, Integer>> operations,
            Map<String, Integer> fences) {
        List<String> loaded = new ArrayList<>();
        for (CodeElement element : code) {
            if (element instanceof FieldInstruction get && isHandleOrAtomic(get)) {
                String name = get.name().stringValue();
                String field = isHandle(get) ? handles.get(name) : name;
                if (field != null && get.owner().asInternalName().equals(owner)) {
                    loaded.add(field);
                }
            } else if (element instanceof InvokeInstruction call) {
                String type = call.owner().asInternalName();
                String name = call.name().stringValue();
                if (type.equals("java/lang/invoke/VarHandle") && name.endsWith("Fence")) {
                    fences.merge(name, 1, Integer::sum);
                } else if ((type.equals("java/lang/invoke/VarHandle")
                                || type.startsWith("java/util/concurrent/atomic/"))
                        && !name.equals("<init>")
                        && !loaded.isEmpty()) {
                    operations
                            .computeIfAbsent(loaded.removeLast(), f -> new TreeMap<>())
                            .merge(name, 1, Integer::sum);
                }
            }
        }
    }

    private static boolean isHandleOrAtomic(FieldInstruction instruction) {
        boolean isRead =
                instruction.opcode() == Opcode.GETSTATIC || instruction.opcode() == Opcode.GETFIELD;
        String type = instruction.type().stringValue();
        return isRead
                && (isHandle(instruction) || type.startsWith("Ljava/util/concurrent/atomic/"));
    }

    private static boolean isHandle(FieldInstruction instruction) {
        return instruction.type().stringValue().equals("Ljava/lang/invoke/VarHandle;");
    }
}

package io.loomverbs.project;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.CodeTransform;
import java.lang.classfile.Opcode;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * All downcalls of the library, found by loading the package that links them once more, with each
 * call of the linker recorded.
 */
@SuppressWarnings("restricted")
public final class Downcalls {
    static final String PACKAGE = "io.loomverbs.internal.ffi";
    private static final Path CLASSES = Path.of("target/classes", PACKAGE.replace('.', '/'));
    private static final ClassDesc LINKER = Linker.class.describeConstable().orElseThrow();
    private static final Pattern VARIADIC = Pattern.compile("FirstVariadicArg\\[index=(\\d+)]");
    private static final Set<String> FOUND = new TreeSet<>();

    private Downcalls() {}

    /** Each as an entry of GraalVM's metadata, in order. */
    static Set<String> all() throws IOException, ClassNotFoundException {
        FOUND.clear();
        ClassLoader loader = new Loader();
        try (Stream<Path> classes = Files.list(CLASSES)) {
            for (Path file : classes.sorted().toList()) {
                String name = file.getFileName().toString();
                if (name.endsWith(".class") && !name.startsWith("package-info")) {
                    String type = name.substring(0, name.length() - ".class".length());
                    Class.forName(PACKAGE + "." + type, true, loader);
                }
            }
        }
        return Set.copyOf(FOUND);
    }

    /** In place of {@link Linker#downcallHandle(FunctionDescriptor, Linker.Option...)}. */
    public static MethodHandle link(
            Linker linker, FunctionDescriptor type, Linker.Option... options) {
        FOUND.add(entry(type, options));
        return linker.downcallHandle(type, options);
    }

    /** In place of the same for one function. */
    public static MethodHandle link(
            Linker linker,
            MemorySegment function,
            FunctionDescriptor type,
            Linker.Option... options) {
        FOUND.add(entry(type, options));
        return linker.downcallHandle(function, type, options);
    }

    private static String entry(FunctionDescriptor type, Linker.Option... options) {
        String returned = type.returnLayout().map(Downcalls::name).orElse("void");
        String parameters =
                type.argumentLayouts().stream()
                        .map(layout -> "\"" + name(layout) + "\"")
                        .collect(Collectors.joining(", "));
        List<String> fields = new ArrayList<>();
        for (Linker.Option option : options) {
            String text = option.toString();
            Matcher variadic = VARIADIC.matcher(text);
            if (variadic.find()) {
                fields.add("\"firstVariadicArg\": " + variadic.group(1));
            } else if (text.startsWith("CaptureCallState")) {
                fields.add("\"captureCallState\": true");
            } else {
                throw new AssertionError("an option that is new here: " + text);
            }
        }
        fields.sort(null);
        return "{\"returnType\": \"%s\", \"parameterTypes\": [%s]%s}"
                .formatted(
                        returned,
                        parameters,
                        fields.isEmpty()
                                ? ""
                                : ", \"options\": {" + String.join(", ", fields) + "}");
    }

    /** The names of {@link Linker#canonicalLayouts}. */
    private static String name(MemoryLayout layout) {
        MemoryLayout plain = layout.withoutName();
        if (plain.equals(ValueLayout.JAVA_INT)) {
            return "int";
        } else if (plain.equals(ValueLayout.JAVA_LONG)) {
            return "long long";
        } else if (plain.equals(ValueLayout.JAVA_SHORT)) {
            return "short";
        } else if (plain.equals(ValueLayout.JAVA_BYTE)) {
            return "char";
        }
        throw new AssertionError("a layout that is new here: " + layout);
    }

    /** Loads the package itself, and leaves all else to the usual loader. */
    private static final class Loader extends ClassLoader {
        Loader() {
            super(Downcalls.class.getClassLoader());
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            if (!name.startsWith(PACKAGE + ".")) {
                return super.loadClass(name, resolve);
            }
            synchronized (getClassLoadingLock(name)) {
                Class<?> loaded = findLoadedClass(name);
                return loaded != null ? loaded : define(name);
            }
        }

        private Class<?> define(String name) throws ClassNotFoundException {
            String file = name.replace('.', '/') + ".class";
            try (InputStream in = Downcalls.class.getClassLoader().getResourceAsStream(file)) {
                if (in == null) {
                    throw new ClassNotFoundException(name);
                }
                byte[] bytes = recording(in.readAllBytes());
                return defineClass(name, bytes, 0, bytes.length);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private static byte[] recording(byte[] bytes) {
            ClassFile file = ClassFile.of();
            CodeTransform code =
                    (builder, element) -> {
                        if (element instanceof InvokeInstruction call
                                && call.opcode() == Opcode.INVOKEINTERFACE
                                && call.owner().asSymbol().equals(LINKER)
                                && call.name().equalsString("downcallHandle")) {
                            MethodTypeDesc type = call.typeSymbol().insertParameterTypes(0, LINKER);
                            builder.invokestatic(
                                    Downcalls.class.describeConstable().orElseThrow(),
                                    "link",
                                    type);
                        } else {
                            builder.with(element);
                        }
                    };
            return file.transformClass(
                    file.parse(bytes), ClassTransform.transformingMethodBodies(code));
        }
    }
}

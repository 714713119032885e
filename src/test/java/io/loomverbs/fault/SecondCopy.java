package io.loomverbs.fault;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassHierarchyResolver;
import java.util.Optional;
import java.util.Set;

/** The classes of this project once more, perhaps with a fault planted in one of them. */
public class SecondCopy extends ClassLoader {
    static {
        registerAsParallelCapable();
    }

    private static final String ROOT = "io.loomverbs.";

    private final Optional<Fault> fault;
    private final Set<String> shared;

    /** For what writes byte code of classes that this loader knows. */
    protected final ClassFile classFile;

    /** Both sides know {@code shared}, the names of classes that there are only once. */
    public SecondCopy(Optional<Fault> fault, Set<String> shared) {
        super(SecondCopy.class.getClassLoader());
        this.fault = fault;
        this.shared = shared;
        // Without the tables of local variables: a planted return may leave their code unreachable,
        // and the JVM refuses entries for slots that are no longer there.
        this.classFile =
                ClassFile.of(
                        ClassFile.DebugElementsOption.DROP_DEBUG,
                        ClassFile.ClassHierarchyResolverOption.of(
                                ClassHierarchyResolver.ofResourceParsing(
                                        SecondCopy.class.getClassLoader())));
    }

    /** Changes a class, after the fault was planted; as it is here, not at all. */
    protected byte[] change(String name, byte[] bytes) {
        return bytes;
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
        if (!name.startsWith(ROOT) || shared.contains(name)) {
            return super.loadClass(name, resolve);
        }
        synchronized (getClassLoadingLock(name)) {
            Class<?> loaded = findLoadedClass(name);
            return loaded != null ? loaded : define(name);
        }
    }

    private Class<?> define(String name) throws ClassNotFoundException {
        byte[] original = bytesOf(name.replace('.', '/'));
        if (original == null) {
            throw new ClassNotFoundException(name);
        }
        byte[] bytes = fault.map(f -> f.plant(classFile, name, original)).orElse(original);
        byte[] changed = change(name, bytes);
        return defineClass(name, changed, 0, changed.length);
    }

    /** The shipped class; null if there is none. */
    protected final byte[] bytesOf(String internalName) {
        try (InputStream in = getParent().getResourceAsStream(internalName + ".class")) {
            return in == null ? null : in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

package io.loomverbs.internal.ibverbs;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.Verbs;
import io.loomverbs.cm.ConnectionManager;
import io.loomverbs.internal.ffi.LibibverbsLibrary;
import io.loomverbs.internal.ffi.LibrdmacmLibrary;
import io.loomverbs.support.ChildJvm;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;

/**
 * A JVM of its own, which has no file descriptor left when it looks for devices for the first time,
 * and some again later.
 */
@Timeout(120)
class NoDescriptorsAtFirstTest {
    /** Prints what every call answers. */
    static final class Child {
        private static final int SOME = 200;

        private Child() {}

        private static void trying(String what, Callable<Object> call) {
            try {
                System.out.println(what + ": " + call.call());
            } catch (Throwable e) {
                System.out.println(what + ": " + e);
            }
        }

        /** Else the classes could not be found: they are files. Initializes none. */
        private static void loadAll() throws IOException, URISyntaxException {
            Path root =
                    Path.of(
                            Verbs.class
                                    .getProtectionDomain()
                                    .getCodeSource()
                                    .getLocation()
                                    .toURI());
            try (Stream<Path> files = Files.walk(root)) {
                for (Path file : files.toList()) {
                    String name = root.relativize(file).toString();
                    if (name.startsWith("io/") && name.endsWith(".class")) {
                        load(name.substring(0, name.length() - 6).replace('/', '.'));
                    }
                }
            }
        }

        private static void load(String name) {
            try {
                Class.forName(name, false, Verbs.class.getClassLoader());
            } catch (ClassNotFoundException | LinkageError e) {
                // Such as one that needs what is not there.
            }
        }

        private static void tryAll() {
            trying("devices", () -> Verbs.devices());
            trying("managers", () -> cause(ConnectionManager.unavailabilityCause()));
            trying("libibverbs", () -> cause(LibibverbsLibrary.unavailabilityCause()));
            trying("librdmacm", () -> cause(LibrdmacmLibrary.unavailabilityCause()));
        }

        private static Object cause(Throwable cause) {
            return cause == null ? "can be used" : cause.getMessage();
        }

        public static void main(String[] args) throws Exception {
            loadAll();
            trying("before", () -> "the limit");
            Posix.limitDescriptors(3, SOME);
            tryAll();
            Posix.limitDescriptors(SOME, SOME);
            System.out.println("--- again");
            tryAll();
        }
    }

    @Test
    void whatFailsForWantOfADescriptorWorksLater() throws IOException, InterruptedException {
        HandMadeDevice.assumeLibrary();
        String printed = ChildJvm.run(Child.class, List.of("-Xlog:disable"));
        String[] parts = printed.split("--- again");
        assertThat(parts).as(printed).hasSize(2);
        assertThat(parts[0])
                .contains("devices: java.util.ServiceConfigurationError")
                .contains("managers: java.util.ServiceConfigurationError")
                .contains("libibverbs: libibverbs.so.1 cannot be loaded: EMFILE: too many open")
                .doesNotContain("install libibverbs");
        assertThat(parts[1])
                .contains("devices: [soft0, strict0")
                .contains("libibverbs: can be used")
                .doesNotContain("Error", "EMFILE");
    }
}

package io.loomverbs.internal.ibverbs;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.Verbs;
import io.loomverbs.blocking.BufferPool;
import io.loomverbs.blocking.Requests;
import io.loomverbs.cm.ConnectionManager;
import io.loomverbs.management.VerbsManagement;
import io.loomverbs.support.ChildJvm;
import io.loomverbs.support.PublicApi;
import io.loomverbs.testkit.Faults;
import io.loomverbs.testkit.Leaks;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * What opens something has loaded all classes of the packages that come into use with it, so that
 * no failure and no close needs a file descriptor for one.
 */
@Timeout(120)
class LoadedClassesTest {
    /** Prints the classes that are not loaded after each step. */
    static final class Child {
        private static final String API = "io.loomverbs";
        private static final String INTERNAL = API + ".internal.";

        private Child() {}

        public static void main(String[] args) throws Exception {
            if (args[0].equals("libibverbs")) {
                new UnloadingTest.HandMade().open();
                look("a context", INTERNAL + "ibverbs", INTERNAL + "ffi");
                return;
            }
            Context context = Verbs.device("soft0").open();
            look(
                    "a context",
                    API,
                    INTERNAL + "device",
                    INTERNAL + "event",
                    INTERNAL + "jfr",
                    INTERNAL + "soft");
            ProtectionDomain pd = context.allocPd();
            if (args[0].equals("pool")) {
                BufferPool.of(pd, 64, 1);
            } else {
                CompletionQueue cq = context.createDirectCq(16);
                Requests.over(pd.createQp(QpConfig.of(QpType.RC, cq)));
            }
            look("requests", API + ".blocking");
            ConnectionManager.of(Verbs.device("soft0"));
            look("connections", API + ".cm", INTERNAL + "cm", INTERNAL + "softcm");
            if (args[0].equals("pool")) {
                Faults.of(context);
            } else {
                Leaks.watch();
            }
            look("tests", API + ".testkit");
            VerbsManagement.register();
            look("management", API + ".management");
        }

        private static void look(String what, String... packages) throws Exception {
            Method loaded = ClassLoader.class.getDeclaredMethod("findLoadedClass", String.class);
            loaded.setAccessible(true);
            for (String name : packages) {
                for (String each : classesIn(name)) {
                    if (loaded.invoke(Verbs.class.getClassLoader(), each) == null) {
                        System.out.println(what + ": " + each + " is not loaded");
                    }
                }
            }
            System.out.println(what);
        }

        private static List<String> classesIn(String name) throws IOException {
            Path folder = PublicApi.root().resolve(name.replace('.', '/'));
            try (Stream<Path> files = Files.list(folder)) {
                return files.map(file -> file.getFileName().toString())
                        .filter(file -> file.endsWith(".class"))
                        .filter(file -> !file.equals("package-info.class"))
                        .map(file -> name + "." + file.replace(".class", ""))
                        .sorted()
                        .toList();
            }
        }
    }

    private static String run(String what) throws IOException, InterruptedException {
        return ChildJvm.run(
                Child.class, List.of("--add-opens=java.base/java.lang=ALL-UNNAMED"), what);
    }

    @Test
    void whatWorksOnEmbeddedDevices() throws Exception {
        String all = "a context\nrequests\nconnections\ntests\nmanagement\n";
        assertThat(run("requests")).isEqualTo(all);
        assertThat(run("pool")).isEqualTo(all);
    }

    @Test
    void whatWorksOnThoseOfLibibverbs() throws Exception {
        HandMadeDevice.assumeLibrary();
        assertThat(run("libibverbs")).isEqualTo("a context\n");
    }
}

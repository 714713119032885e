package io.loomverbs.project;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.loomverbs.Verbs;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.Collections;
import java.util.Enumeration;
import java.util.List;

/** A jar that was made of loomverbs and others, and lacks its file in META-INF/services. */
class RepackagedTest {
    private static final class NoServices extends URLClassLoader {
        NoServices(URL classes) {
            super(new URL[] {classes}, ClassLoader.getPlatformClassLoader());
        }

        @Override
        public Enumeration<URL> findResources(String name) throws IOException {
            return name.startsWith("META-INF/services/")
                    ? Collections.emptyEnumeration()
                    : super.findResources(name);
        }
    }

    /** What it says to programs, for {@code docs/troubleshooting.md}. */
    static List<String> messages() throws Exception {
        URL classes = Verbs.class.getProtectionDomain().getCodeSource().getLocation();
        try (NoServices loader = new NoServices(classes)) {
            Class<?> verbs = Class.forName(Verbs.class.getName(), true, loader);
            Throwable none =
                    catchThrowable(() -> verbs.getMethod("devices").invoke(null)).getCause();
            Throwable cause = (Throwable) verbs.getMethod("unavailabilityCause").invoke(null);
            return List.of(none.getMessage(), cause.getMessage());
        }
    }

    @Test
    void itsCauseIsSaid() throws Exception {
        URL classes = Verbs.class.getProtectionDomain().getCodeSource().getLocation();
        try (NoServices loader = new NoServices(classes)) {
            Class<?> verbs = Class.forName(Verbs.class.getName(), true, loader);
            assertThatThrownBy(() -> verbs.getMethod("devices").invoke(null))
                    .isInstanceOf(InvocationTargetException.class)
                    .cause()
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("META-INF/services/io.loomverbs.internal.device.Device")
                    .hasMessageContaining("ServicesResourceTransformer");
            assertThatThrownBy(() -> verbs.getMethod("device", String.class).invoke(null, "soft0"))
                    .cause()
                    .isInstanceOf(IllegalStateException.class);
            Object cause = verbs.getMethod("unavailabilityCause").invoke(null);
            assertThat(cause).asString().contains("META-INF/services/");
        }
    }

    /** Each device can be had by the kind that offers it, also one whose name another has. */
    @Test
    void aKindMayBeAskedFor() {
        assertThat(Verbs.device("soft/soft0").name()).isEqualTo("soft0");
        assertThatThrownBy(() -> Verbs.device("ibverbs/soft0"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("name is \"ibverbs/soft0\", but the devices are [soft0");
        assertThatThrownBy(() -> Verbs.device("hard/soft0"))
                .isInstanceOf(IllegalArgumentException.class);
    }
}

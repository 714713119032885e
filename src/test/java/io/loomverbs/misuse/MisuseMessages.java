package io.loomverbs.misuse;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;

/** What the library says to all bad input of the tables. */
public final class MisuseMessages {
    private MisuseMessages() {}

    /** The message of each row. */
    @SuppressWarnings("try") // closes may be interrupted
    public static List<String> all() throws Exception {
        List<String> messages = new ArrayList<>();
        for (Misuse bad : ApiMisuseTest.bad()) {
            try (Scene scene = new Scene()) {
                String message = refusal(bad, scene);
                if (message != null) { // an interrupt has none
                    messages.add(message);
                }
            }
        }
        return messages;
    }

    private static @Nullable String refusal(Misuse bad, Scene scene) {
        try {
            bad.attempt().on(scene);
        } catch (Exception e) {
            return e.getMessage();
        }
        throw new AssertionError("nothing was refused: " + bad);
    }
}

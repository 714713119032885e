package io.loomverbs;

import org.jspecify.annotations.Nullable;

import java.util.function.Supplier;

/**
 * Queries a device that has refused something, for the text of the exception. If the device fails
 * at that, too, the exception says less; it is not replaced by another.
 */
final class Diagnosis {
    private Diagnosis() {}

    /** The device's answer, or null if it fails. */
    static <T> @Nullable T of(Supplier<T> question) {
        try {
            return question.get();
        } catch (VerbsException | ClosedException e) {
            return null;
        }
    }

    /** The end of a sentence, or nothing if the device fails. */
    static String end(Supplier<String> question) {
        String text = of(question);
        return text == null ? "" : text;
    }

    /** An answer as a word of a sentence. */
    static String text(@Nullable Object answer) {
        return answer == null ? "unknown" : answer.toString();
    }
}

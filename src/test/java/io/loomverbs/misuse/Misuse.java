package io.loomverbs.misuse;

import java.util.List;

/** Something bad that is tried on a fresh scene, and the exception it must end with. */
record Misuse(String method, Attempt attempt, Class<?> exception, List<String> message) {
    /** What is tried. */
    interface Attempt {
        void on(Scene s) throws Exception;
    }

    @Override
    public String toString() {
        return method + " -> " + exception.getSimpleName() + message;
    }
}

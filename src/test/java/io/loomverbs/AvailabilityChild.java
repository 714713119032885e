package io.loomverbs;

import java.util.List;

/** A JVM of its own, which finds out what devices there are. */
public final class AvailabilityChild {
    private AvailabilityChild() {}

    /** Prints what there is; with a name, tries to open that device, and only that. */
    public static void main(String[] args) {
        if (args.length > 0) {
            try (Context context = Verbs.device(args[0]).open()) {
                System.out.println("opened " + context);
            } catch (IllegalArgumentException | VerbsException e) {
                System.out.println(e.getMessage());
            }
            return;
        }
        System.out.println("devices " + Verbs.devices());
        Throwable cause = Verbs.unavailabilityCause();
        System.out.println("cause " + (cause == null ? "none" : cause.getMessage()));
    }

    /**
     * Runs it.
     *
     * @param before what to run java with, such as {@code setpriv}
     * @param options of java
     */
    static String run(List<String> before, List<String> options, String... args) throws Exception {
        return ChildJvm.run(before, options, AvailabilityChild.class, args);
    }
}

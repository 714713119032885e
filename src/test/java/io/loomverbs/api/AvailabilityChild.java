package io.loomverbs.api;

import io.loomverbs.Context;
import io.loomverbs.Verbs;
import io.loomverbs.VerbsException;
import io.loomverbs.support.ChildJvm;

import java.io.FileInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** A JVM of its own, which finds out what devices there are. */
public final class AvailabilityChild {
    static final String WITHOUT_DESCRIPTORS = "--without-descriptors";
    private static final List<FileInputStream> OPEN = new ArrayList<>();

    private AvailabilityChild() {}

    /** Asks once before, which loads the classes that are needed. */
    private static void whenDescriptorsAreUsedUp() {
        Throwable cause = Verbs.unavailabilityCause();
        try {
            for (; ; ) {
                OPEN.add(new FileInputStream("/dev/null"));
            }
        } catch (IOException e) {
            cause = Verbs.unavailabilityCause();
        }
        System.out.println("opened " + OPEN.size() + " files");
        System.out.println("cause " + (cause == null ? "none" : cause.getMessage()));
    }

    /**
     * Prints what there is; with a name, tries to open that device, and only that; or says why
     * there is none when all file descriptors are used up.
     */
    public static void main(String[] args) {
        if (args.length > 0 && args[0].equals(WITHOUT_DESCRIPTORS)) {
            whenDescriptorsAreUsedUp();
            return;
        }
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

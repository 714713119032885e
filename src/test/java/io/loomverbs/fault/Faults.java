package io.loomverbs.fault;

import io.loomverbs.fault.Fault.Edit;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** The faults that tests must find: {@code faults.txt} has them, and says how they are written. */
public final class Faults {
    private Faults() {}

    public static List<Fault> all() {
        try (InputStream in = Faults.class.getResourceAsStream("faults.txt")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .filter(line -> !line.isEmpty() && !line.startsWith("#"))
                    .map(Faults::parse)
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Fault parse(String line) {
        String[] parts = line.split(": ", 2);
        String[] names = parts[0].split(" \\[|]", 3);
        List<Edit> edits = new ArrayList<>();
        for (String place : parts[1].split("; ", -1)) {
            String[] words = place.split("[. ]", 3);
            for (String change : words[2].split(", ", -1)) {
                edits.add(new Edit(words[0], words[1], change));
            }
        }
        List<String> scenarios = names.length == 1 ? List.of() : List.of(names[1].split(" ", -1));
        return new Fault(names[0], scenarios, edits);
    }
}

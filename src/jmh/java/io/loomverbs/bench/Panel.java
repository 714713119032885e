package io.loomverbs.bench;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Figures that belong side by side: a table, and a plot of it. Rows are what is compared. */
final class Panel {
    /** How it is drawn. */
    enum Kind {
        BARS,
        LINES,
        TABLE
    }

    /** What a row is to the reader. */
    enum Role {
        OURS,
        LIMIT,
        PEER
    }

    /** What is compared. */
    record Row(String label, Role role) {}

    private static final double FAR_APART = 20;

    private final String id;
    private final String title;
    private final String across;
    private final String unit;
    private final Kind kind;
    private final Map<Row, Map<String, Figure>> rows = new LinkedHashMap<>();
    private final Set<String> columns = new LinkedHashSet<>();

    /**
     * @param id names the files of its plot
     * @param across what the columns are
     */
    Panel(String id, String title, String across, String unit, Kind kind) {
        this.id = id;
        this.title = title;
        this.across = across;
        this.unit = unit;
        this.kind = kind;
    }

    /** In the order in which columns are to stand. */
    Panel columns(List<String> ordered) {
        columns.addAll(ordered);
        return this;
    }

    void put(Row row, String column, Figure figure) {
        columns.add(column);
        rows.computeIfAbsent(row, r -> new LinkedHashMap<>()).put(column, figure);
    }

    boolean isEmpty() {
        return rows.isEmpty();
    }

    String id() {
        return id;
    }

    String title() {
        return title;
    }

    String across() {
        return across;
    }

    String unit() {
        return unit;
    }

    Kind kind() {
        return kind;
    }

    /** Whether its figures lie so far apart that on a linear axis the small ones look like 0. */
    boolean isLogarithmic() {
        double[] medians =
                rows.values().stream()
                        .flatMap(row -> row.values().stream())
                        .mapToDouble(Figure::median)
                        .filter(median -> median > 0)
                        .toArray();
        double least = Arrays.stream(medians).min().orElse(1);
        double most = Arrays.stream(medians).max().orElse(1);
        return most / least >= FAR_APART;
    }

    List<Row> rows() {
        return List.copyOf(rows.keySet());
    }

    /** Those that have a figure. */
    List<String> columns() {
        List<String> used = new ArrayList<>();
        for (String column : columns) {
            if (rows.values().stream().anyMatch(r -> r.containsKey(column))) {
                used.add(column);
            }
        }
        return used;
    }

    /** Null if it was not measured. */
    Figure at(Row row, String column) {
        return rows.get(row).get(column);
    }

    /** What all others are told against, if there is such a thing. */
    Row limit() {
        return rows.keySet().stream().filter(r -> r.role() == Role.LIMIT).findFirst().orElse(null);
    }

    /** How many times the limit, or NaN. */
    double ratio(Row row, String column) {
        Row limit = limit();
        if (limit == null || limit.equals(row)) {
            return Double.NaN;
        }
        Figure of = at(limit, column);
        Figure figure = at(row, column);
        return of == null || figure == null ? Double.NaN : figure.median() / of.median();
    }
}

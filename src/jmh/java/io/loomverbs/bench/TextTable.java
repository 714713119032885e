package io.loomverbs.bench;

import java.util.ArrayList;
import java.util.List;

/** A panel as text. */
final class TextTable {
    private TextTable() {}

    static String of(Panel panel) {
        List<List<String>> lines = new ArrayList<>();
        List<String> head = new ArrayList<>(List.of(panel.unit()));
        head.addAll(panel.columns());
        lines.add(head);
        for (Panel.Row row : panel.rows()) {
            List<String> line = new ArrayList<>(List.of(row.label()));
            for (String column : panel.columns()) {
                Figure figure = panel.at(row, column);
                double ratio = panel.ratio(row, column);
                line.add(
                        (figure == null ? "-" : Figure.digits(figure.median()))
                                + (Double.isNaN(ratio) ? "" : " (x" + Figure.digits(ratio) + ")"));
            }
            lines.add(line);
        }
        int[] widths = new int[head.size()];
        for (List<String> line : lines) {
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], line.get(i).length());
            }
        }
        StringBuilder text = new StringBuilder();
        for (List<String> line : lines) {
            text.append("  ")
                    .append(line.get(0))
                    .append(" ".repeat(widths[0] - line.get(0).length()));
            for (int i = 1; i < widths.length; i++) {
                text.append("  ").append(" ".repeat(widths[i] - line.get(i).length()));
                text.append(line.get(i));
            }
            text.append(System.lineSeparator());
        }
        return text.toString();
    }
}

package io.loomverbs.bench;

import io.loomverbs.tools.plot.Html;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** Writes what was measured: a page with plots and tables, the plots as files, and text. */
final class Report {
    private final Machine machine;
    private final List<Chapter> chapters;
    private final List<Goals.Goal> goals;
    private final List<String> missing;
    private final @Nullable Comparison comparison;

    Report(
            Machine machine,
            Results results,
            List<String> missing,
            @Nullable Comparison comparison) {
        this.machine = machine;
        this.chapters = new Chapters(results).all();
        this.goals =
                new Goals(results).goals().stream().filter(goal -> goal.reached() != null).toList();
        this.missing = missing;
        this.comparison = comparison;
    }

    /** Writes the folder's page and plots. */
    Path write(Path folder) throws IOException {
        Path plots = Files.createDirectories(folder.resolve("plots"));
        StringBuilder page = new StringBuilder();
        for (Chapter chapter : chapters) {
            page.append(
                    "<section id=\"%s\"><h2>%s</h2><p>%s</p>\n"
                            .formatted(
                                    chapter.set().name(),
                                    Html.escape(chapter.title()),
                                    Html.escape(chapter.text())));
            for (Panel panel : chapter.panels()) {
                page.append("<figure><figcaption>")
                        .append(Html.escape(panel.title()))
                        .append("</figcaption>\n");
                if (panel.kind() != Panel.Kind.TABLE) {
                    Plot plot = new Plot(panel);
                    plot.writeSvg(plots.resolve(panel.id() + ".svg"));
                    plot.writePng(plots.resolve(panel.id() + ".png"));
                    page.append("<div class=\"plot\">").append(plot.svg()).append("</div>\n");
                }
                page.append(table(panel)).append("</figure>\n");
            }
            page.append("</section>\n");
        }
        Path index = folder.resolve("index.html");
        Files.writeString(index, PAGE.formatted(nav(), facts(), trouble(), goals(), page));
        return index;
    }

    private String nav() {
        StringBuilder nav = new StringBuilder();
        for (Chapter chapter : chapters) {
            nav.append(
                    "<a href=\"#%s\">%s</a>"
                            .formatted(chapter.set().name(), Html.escape(chapter.title())));
        }
        return nav.toString();
    }

    private String facts() {
        StringBuilder facts = new StringBuilder("<dl>");
        machine.facts()
                .forEach(
                        (key, value) ->
                                facts.append(
                                        "<div><dt>%s</dt><dd>%s</dd></div>"
                                                .formatted(Html.escape(key), Html.escape(value))));
        return facts.append("</dl>").toString();
    }

    private String trouble() {
        StringBuilder text = new StringBuilder();
        if (!missing.isEmpty()) {
            text.append("<section class=\"missing\"><h2>Not measured</h2><ul>");
            missing.forEach(m -> text.append("<li>").append(Html.escape(m)).append("</li>"));
            text.append("</ul></section>\n");
        }
        if (comparison != null) {
            text.append("<section id=\"baseline\"><h2>Against the baseline</h2><pre>")
                    .append(Html.escape(comparisonText()))
                    .append("</pre></section>\n");
        }
        return text.toString();
    }

    private String goals() {
        if (goals.isEmpty()) {
            return "";
        }
        StringBuilder rows = new StringBuilder();
        for (Goals.Goal goal : goals) {
            Figure reached = goal.reached();
            rows.append(
                    "<tr><th>%s</th><td>%s</td><td>%s <small>%s to %s</small></td><td class=\"%s\">%s</td></tr>\n"
                            .formatted(
                                    Html.escape(goal.what()),
                                    goal.bar(),
                                    Figure.digits(reached.median()),
                                    Figure.digits(reached.least()),
                                    Figure.digits(reached.most()),
                                    goal.verdict().equals("not met") ? "unmet" : goal.verdict(),
                                    goal.verdict()));
        }
        return "<section id=\"goals\"><h2>What it must reach</h2><p>Medians over the rounds, each"
                + " ratio within its round; least and most beside.</p><figure><table><thead><tr>"
                + "<th></th><th>bar</th><th>reached</th><th></th></tr></thead><tbody>"
                + rows
                + "</tbody></table></figure></section>\n";
    }

    private static String table(Panel panel) {
        StringBuilder text = new StringBuilder("<table><thead><tr><th>");
        text.append(Html.escape(panel.unit())).append("</th>");
        for (String column : panel.columns()) {
            text.append("<th>").append(Html.escape(column)).append("</th>");
        }
        text.append("</tr></thead><tbody>\n");
        for (Panel.Row row : panel.rows()) {
            text.append(
                    "<tr class=\"%s\"><th>%s</th>"
                            .formatted(
                                    row.role().name().toLowerCase(java.util.Locale.ROOT),
                                    Html.escape(row.label())));
            for (String column : panel.columns()) {
                Figure figure = panel.at(row, column);
                double ratio = panel.ratio(row, column);
                text.append(
                        figure == null
                                ? "<td class=\"none\">-</td>"
                                : "<td title=\"%s to %s\">%s%s</td>"
                                        .formatted(
                                                Figure.digits(figure.least()),
                                                Figure.digits(figure.most()),
                                                Figure.digits(figure.median()),
                                                Double.isNaN(ratio)
                                                        ? ""
                                                        : " <small>&times;"
                                                                + Figure.digits(ratio)
                                                                + "</small>"));
            }
            text.append("</tr>\n");
        }
        return text.append("</tbody></table>\n").toString();
    }

    /** The same for a terminal. */
    void print(PrintWriter out) {
        for (Chapter chapter : chapters) {
            for (Panel panel : chapter.panels()) {
                out.printf("%n%s: %s%n", chapter.title(), panel.title());
                out.print(TextTable.of(panel));
            }
        }
        if (!goals.isEmpty()) {
            out.printf("%nWhat it must reach%n");
            for (Goals.Goal goal : goals) {
                out.printf(
                        "  %-9s  %s: %s, which is to be %s%n",
                        goal.verdict().equals("not met") ? "NOT MET" : goal.verdict(),
                        goal.what(),
                        Figure.digits(goal.reached().median()),
                        goal.bar());
            }
        }
        if (comparison != null) {
            out.printf("%nAgainst the baseline%n%s", comparisonText());
        }
        out.flush();
    }

    private String comparisonText() {
        StringBuilder text = new StringBuilder();
        for (Comparison.Change change : comparison.slower()) {
            text.append(line("slower", change));
        }
        for (Comparison.Change change : comparison.faster()) {
            text.append(line("faster", change));
        }
        text.append(
                String.format(
                        Locale.ROOT,
                        "%d compared, %d slower and %d faster beyond the noise%n",
                        comparison.changes().size(),
                        comparison.slower().size(),
                        comparison.faster().size()));
        if (comparison.tooFewRounds() > 0) {
            text.append(
                    String.format(
                            Locale.ROOT,
                            "%d could not be judged: less than %d rounds, then or now%n",
                            comparison.tooFewRounds(),
                            Comparison.LEAST_ROUNDS));
        }
        if (comparison.onlyThen() > 0) {
            text.append(
                    String.format(
                            Locale.ROOT,
                            "%d of the baseline were not run%n",
                            comparison.onlyThen()));
        }
        return text.toString();
    }

    private static String line(String word, Comparison.Change change) {
        return "%s  %s: %s (%s to %s) was %s (%s to %s) %s, x %s%n"
                .formatted(
                        word,
                        change.what(),
                        Figure.digits(change.now().median()),
                        Figure.digits(change.now().least()),
                        Figure.digits(change.now().most()),
                        Figure.digits(change.then().median()),
                        Figure.digits(change.then().least()),
                        Figure.digits(change.then().most()),
                        change.unit(),
                        Figure.digits(change.slowdown()));
    }

    @SuppressWarnings("InlineFormatString") // a page between lines of code is hard to read
    private static final String PAGE =
            """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>loomverbs: what it costs</title>
            <style>
            :root { color-scheme: light dark; --ink: #1f2937; --soft: #64748b; --line: #e2e8f0; --ours: #1d4ed8;
                    --page: #f6f8fb; --card: #fff; --met: #15803d; --unmet: #b91c1c; }
            @media (prefers-color-scheme: dark) {
                :root { --ink: #e5e7eb; --soft: #9aa7b8; --line: #2c3645; --ours: #7aa7ff;
                        --page: #0f141c; --card: #171e29; --met: #4ade80; --unmet: #f87171; }
                .plot svg { filter: invert(.9) hue-rotate(180deg); border-radius: 6px; }
            }
            * { box-sizing: border-box; }
            html { scroll-behavior: smooth; scroll-padding-top: 4rem; }
            body { margin: 0; background: var(--page); color: var(--ink);
                   font: 16px/1.55 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
            header { background: linear-gradient(120deg, #0f1f4b, #1d4ed8 70%%, #0ea5e9); color: #fff; padding: 2.6rem 1rem 2rem; }
            header > div, main { max-width: 62rem; margin: 0 auto; padding: 0 1rem; }
            h1 { margin: 0 0 .3rem; font-size: 2rem; letter-spacing: -.02em; }
            header p { margin: 0; opacity: .85; }
            nav { position: sticky; top: 0; background: var(--card); border-bottom: 1px solid var(--line); z-index: 1; }
            nav div { max-width: 62rem; margin: 0 auto; padding: .55rem 1rem; display: flex; gap: .3rem 1.2rem; flex-wrap: wrap; }
            nav a { color: var(--ours); text-decoration: none; font-size: .92rem; }
            nav a:hover { text-decoration: underline; }
            dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: .5rem 1.4rem; margin: 1.4rem 0 0; }
            dl div { border-left: 3px solid rgba(255, 255, 255, .35); padding-left: .7rem; min-width: 0; }
            dl div:first-child { grid-column: 1 / -1; }
            dt { font-size: .75rem; text-transform: uppercase; letter-spacing: .06em; opacity: .75; }
            dd { margin: 0; font-size: .92rem; overflow-wrap: anywhere; }
            section { margin: 2.2rem 0; }
            h2 { font-size: 1.35rem; margin: 0 0 .3rem; letter-spacing: -.01em; }
            section > p { color: var(--soft); margin: 0 0 1rem; max-width: 46rem; }
            figure { margin: 0 0 1.4rem; background: var(--card); border: 1px solid var(--line); border-radius: 12px;
                     padding: 1rem 1.1rem; box-shadow: 0 1px 2px rgba(15, 31, 75, .05); overflow-x: auto; }
            figcaption { font-weight: 600; margin-bottom: .4rem; }
            .plot svg { min-width: 36rem; width: 100%%; height: auto; display: block; }
            table { border-collapse: collapse; width: 100%%; font-size: .9rem; font-variant-numeric: tabular-nums; }
            th, td { padding: .36rem .6rem; text-align: right; border-top: 1px solid var(--line); white-space: nowrap; }
            thead th { border-top: 0; color: var(--soft); font-weight: 500; }
            tr > th:first-child { text-align: left; font-weight: 500; white-space: normal; }
            small { color: var(--soft); }
            .ours th { color: var(--ours); font-weight: 600; }
            .limit { color: var(--soft); font-style: italic; }
            .none { color: var(--soft); opacity: .6; }
            .met { color: var(--met); font-weight: 600; }
            .unmet { color: var(--unmet); font-weight: 600; }
            .missing { border: 1px solid #fca5a5; background: color-mix(in srgb, var(--card), #ef4444 8%%); border-radius: 12px; padding: 1rem 1.2rem; }
            pre { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 1rem; overflow-x: auto; font-size: .82rem; }
            footer { color: var(--soft); font-size: .85rem; padding: 0 0 3rem; }
            @media (max-width: 40rem) {
                header { padding: 1.6rem 0 1.2rem; }
                header > div, main { padding: 0 .8rem; }
                figure { padding: .8rem .6rem; }
                th, td { padding: .3rem .35rem; font-size: .82rem; }
                tr > th:first-child { min-width: 7rem; position: sticky; left: -.6rem; background: var(--card); }
            }
            @media print { nav { display: none; } figure { break-inside: avoid; } }
            </style>
            </head>
            <body>
            <header><div>
            <h1>What it costs</h1>
            <p>loomverbs, measured beside the limit and beside what one would use instead, in one run.</p>
            %2$s
            </div></header>
            <nav><div>%1$s</div></nav>
            <main>
            %3$s%4$s%5$s
            <footer>Figures are medians over the rounds; what stands behind &times; is how many times the limit of
            its table. Hold the pointer on a figure to see its least and most.
            The raw results are in results.json, the plots in plots/.</footer>
            </main>
            </body>
            </html>
            """;
}

package io.loomverbs.bench;

import io.loomverbs.tools.Benchmarks;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** What the command {@code bench} does. */
public final class Bench implements Benchmarks {
    @Override
    public void list(PrintWriter out, boolean json) {
        if (json) {
            out.println(ReportJson.of(BenchmarkSet.ALL));
            out.flush();
            return;
        }
        for (BenchmarkSet set : BenchmarkSet.ALL) {
            out.printf("%-8s %s (%s)%n", set.name(), set.what(), set.benchmarks());
        }
        out.flush();
    }

    @Override
    public Verdict run(Plan plan, PrintWriter out, PrintWriter err) throws IOException {
        System.setProperty("java.awt.headless", "true");
        Results baseline = plan.baseline() == null ? null : Results.read(List.of(plan.baseline()));
        List<String> missing = List.of();
        List<Path> raw = plan.from();
        Machine machine;
        if (raw.isEmpty()) {
            Session session = new Session(plan);
            Files.createDirectories(plan.folder());
            machine = Machine.here(command(plan));
            machine.write(plan.folder());
            session.run(err);
            machine.ran();
            machine.write(plan.folder());
            missing = session.missing();
            raw = List.of(plan.folder().resolve(Session.RESULTS));
        } else {
            machine = Machine.of(raw);
            Files.createDirectories(plan.folder());
        }
        Results results = Results.read(raw);
        Comparison comparison = baseline == null ? null : new Comparison(baseline, results);
        Report report = new Report(machine, results, missing, comparison);
        Path page = report.write(plan.folder());
        if (plan.json()) {
            out.println(new ReportJson(machine, results, missing, comparison).of(page, raw));
        } else {
            report.print(out);
            missing.forEach(m -> out.println("NOT MEASURED: " + m));
            out.printf("%nReport: %s%n", page);
            raw.forEach(file -> out.println("Raw results: " + file));
        }
        out.flush();
        if (comparison != null && !comparison.slower().isEmpty()) {
            return Verdict.SLOWER;
        }
        return missing.isEmpty() ? Verdict.DONE : Verdict.INCOMPLETE;
    }

    private static String command(Plan plan) {
        String options = System.getenv("LOOMVERBS_JAVA_OPTS");
        StringBuilder command = new StringBuilder();
        if (options != null && !options.isBlank()) {
            command.append("LOOMVERBS_JAVA_OPTS=\"").append(options).append("\" ");
        }
        command.append("./loomverbs bench");
        plan.names().forEach(name -> command.append(' ').append(name));
        plan.params().forEach(param -> command.append(" -p ").append(param));
        return command.append(" --rounds ")
                .append(plan.rounds())
                .append(" --millis ")
                .append(plan.millis())
                .toString();
    }
}

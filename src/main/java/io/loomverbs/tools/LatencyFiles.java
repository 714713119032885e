package io.loomverbs.tools;

import io.loomverbs.tools.plot.LatencyPlot;

import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramLogWriter;
import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;

/** The options of commands that measure latencies: where to draw and where to write them. */
final class LatencyFiles {
    private static final String CHARTS = "org.jfree.chart.JFreeChart";

    @Option(
            names = "--plot",
            paramLabel = "FILE",
            description =
                    "Draw the latencies by percentile into FILE, which must end in .svg or .png."
                            + " The jar lacks the libraries for it: use ./loomverbs.")
    private @Nullable Path plot;

    @Option(
            names = "--hdr-log",
            paramLabel = "FILE",
            description =
                    "Write the latencies, in nanoseconds, as a log for the tools of HdrHistogram,"
                            + " with a tag for each kind.")
    private @Nullable Path log;

    /** Refuses, before anything is measured, a file that could not be written afterwards. */
    void check(CommandSpec spec) {
        if (plot != null) {
            String name = plot.toString().toLowerCase(Locale.ROOT);
            if (!name.endsWith(".svg") && !name.endsWith(".png")) {
                throw Options.wrong(spec, "--plot is " + plot + ", but must end in .svg or .png");
            }
            checkFolder(spec, "--plot", plot);
            checkLibraries();
        }
        if (log != null) {
            checkFolder(spec, "--hdr-log", log);
        }
    }

    private static void checkFolder(CommandSpec spec, String option, Path file) {
        Path folder = file.toAbsolutePath().getParent();
        if (folder == null || !Files.isDirectory(folder)) {
            throw Options.wrong(
                    spec, option + " is " + file + ", but there is no folder " + folder);
        }
    }

    private static void checkLibraries() {
        try {
            Class.forName(CHARTS, false, LatencyFiles.class.getClassLoader());
        } catch (ClassNotFoundException e) {
            throw new IllegalStateException(
                    "--plot needs JFreeChart and Batik, which are not in this jar: use ./loomverbs,"
                            + " or add them to the class path; --hdr-log needs neither",
                    e);
        }
    }

    /**
     * Writes what was asked for.
     *
     * @param seconds how long they were measured
     */
    void write(String title, double seconds, Map<String, Histogram> latencies) {
        try {
            if (plot != null) {
                System.setProperty("java.awt.headless", "true");
                new LatencyPlot(title, latencies).write(plot);
            }
            if (log != null) {
                writeLog(log, title, seconds, latencies);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e.toString(), e);
        }
    }

    private static void writeLog(
            Path file, String title, double seconds, Map<String, Histogram> latencies)
            throws IOException {
        HistogramLogWriter writer = new HistogramLogWriter(file.toFile());
        try {
            writer.outputComment("[" + title + "; values in nanoseconds]");
            writer.outputLogFormatVersion();
            writer.outputLegend();
            for (Map.Entry<String, Histogram> latency : latencies.entrySet()) {
                Histogram nanos = latency.getValue();
                nanos.setTag(latency.getKey().replace(' ', '-'));
                writer.outputIntervalHistogram(0, seconds, nanos, 1);
            }
        } finally {
            writer.close();
        }
    }
}

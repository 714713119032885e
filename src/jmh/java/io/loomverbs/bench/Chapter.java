package io.loomverbs.bench;

import java.util.List;

/**
 * A part of the report.
 *
 * @param set the benchmarks that it is about
 * @param text what is measured and how to read it
 * @param panels those that have figures
 */
record Chapter(BenchmarkSet set, String title, String text, List<Panel> panels) {}

package io.loomverbs.tools.plot;

import org.HdrHistogram.Histogram;
import org.jfree.chart.ChartFactory;
import org.jfree.chart.JFreeChart;
import org.jfree.chart.axis.LogAxis;
import org.jfree.chart.axis.NumberAxis;
import org.jfree.chart.axis.NumberTickUnit;
import org.jfree.chart.axis.ValueAxis;
import org.jfree.chart.plot.PlotOrientation;
import org.jfree.chart.plot.XYPlot;
import org.jfree.chart.renderer.xy.XYLineAndShapeRenderer;
import org.jfree.chart.title.TextTitle;
import org.jfree.chart.ui.HorizontalAlignment;
import org.jfree.chart.ui.RectangleEdge;
import org.jfree.chart.ui.RectangleInsets;
import org.jfree.data.xy.XYSeries;
import org.jfree.data.xy.XYSeriesCollection;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.io.IOException;
import java.nio.file.Path;
import java.text.FieldPosition;
import java.text.NumberFormat;
import java.text.ParsePosition;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.DoubleFunction;

/**
 * Latencies by percentile. The axis of percentiles counts nines: 90 %, 99 %, 99.9 % are as far from
 * one another, so that rare latencies are seen; that of times is logarithmic.
 */
public final class LatencyPlot {
    private static final int WIDTH = 860;
    private static final int HEIGHT = 430;
    private static final double MOST_NINES = 6;
    private static final double STEP = 0.01;
    private static final double PERCENT = 100;
    private static final Font TEXT = new Font(ChartFile.FONT, Font.PLAIN, 12);
    private static final Font TITLE = new Font(ChartFile.FONT, Font.BOLD, 14);
    private static final Color INK = new Color(0x33, 0x3d, 0x4d);
    private static final Color GRID = new Color(0xe3, 0xe8, 0xef);
    private static final List<Color> LINES =
            List.of(
                    new Color(0x1d, 0x4e, 0xd8),
                    new Color(0xea, 0x58, 0x0c),
                    new Color(0x14, 0xb8, 0xa6),
                    new Color(0xe1, 0x1d, 0x48));

    private final ChartFile file;

    /**
     * Prepares a plot.
     *
     * @param title what was measured, and how
     * @param latencies in nanoseconds, by name; those without values are left out
     */
    public LatencyPlot(String title, Map<String, Histogram> latencies) {
        XYSeriesCollection data = new XYSeriesCollection();
        latencies.forEach(
                (name, nanos) -> {
                    if (nanos.getTotalCount() > 0) {
                        data.addSeries(series(name, nanos));
                    }
                });
        JFreeChart chart =
                ChartFactory.createXYLineChart(
                        title,
                        "percentile",
                        "",
                        data,
                        PlotOrientation.VERTICAL,
                        true,
                        false,
                        false);
        style(chart, data.getSeriesCount());
        file = new ChartFile(chart, WIDTH, HEIGHT, title);
    }

    /** From the fastest to the slowest, which is as rare as there are values. */
    private static XYSeries series(String name, Histogram nanos) {
        XYSeries series = new XYSeries(name);
        double most = Math.min(MOST_NINES, Math.log10((double) nanos.getTotalCount()));
        for (double nines = 0; nines < most; nines += STEP) {
            double percentile = PERCENT - PERCENT * Math.pow(10, -nines);
            series.add(nines, (double) Math.max(1, nanos.getValueAtPercentile(percentile)));
        }
        series.add(most, (double) Math.max(1, nanos.getMaxValue()));
        return series;
    }

    private static void style(JFreeChart chart, int lines) {
        chart.setBackgroundPaint(Color.WHITE);
        chart.setPadding(new RectangleInsets(10, 8, 8, 16));
        TextTitle title = chart.getTitle();
        title.setFont(TITLE);
        title.setPaint(INK);
        title.setHorizontalAlignment(HorizontalAlignment.LEFT);
        title.setPosition(RectangleEdge.TOP);
        chart.getLegend().setItemFont(TEXT);
        chart.getLegend().setItemPaint(INK);
        chart.getLegend().setBorder(0, 0, 0, 0);
        XYPlot plot = chart.getXYPlot();
        plot.setBackgroundPaint(Color.WHITE);
        plot.setOutlineVisible(false);
        plot.setRangeGridlinePaint(GRID);
        plot.setRangeGridlineStroke(new BasicStroke(1));
        plot.setDomainGridlinePaint(GRID);
        plot.setDomainGridlineStroke(new BasicStroke(1));
        NumberAxis percentiles = new NumberAxis("percentile");
        percentiles.setTickUnit(new NumberTickUnit(1, new Labels(LatencyPlot::percentile)));
        percentiles.setAutoRangeIncludesZero(true);
        plot.setDomainAxis(styled(percentiles));
        LogAxis times = new LogAxis("");
        times.setTickUnit(new NumberTickUnit(1, new Labels(LatencyPlot::time)));
        times.setNumberFormatOverride(new Labels(LatencyPlot::time));
        times.setSmallestValue(1);
        plot.setRangeAxis(styled(times));
        XYLineAndShapeRenderer renderer = new XYLineAndShapeRenderer(true, false);
        for (int i = 0; i < lines; i++) {
            renderer.setSeriesPaint(i, LINES.get(i % LINES.size()));
            renderer.setSeriesStroke(
                    i, new BasicStroke(2.4f, BasicStroke.CAP_ROUND, BasicStroke.JOIN_ROUND));
        }
        plot.setRenderer(renderer);
    }

    private static ValueAxis styled(ValueAxis axis) {
        axis.setTickLabelFont(TEXT);
        axis.setTickLabelPaint(INK);
        axis.setLabelFont(TEXT);
        axis.setLabelPaint(INK);
        axis.setAxisLineVisible(false);
        axis.setTickMarksVisible(false);
        return axis;
    }

    /** Powers of ten need no decimals. */
    private static String time(double nanos) {
        return Nanos.text(nanos).replaceFirst("\\.0+ ", " ");
    }

    private static String percentile(double nines) {
        int whole = (int) Math.round(nines);
        double percentile = PERCENT - PERCENT * Math.pow(10, -whole);
        return String.format(Locale.ROOT, "%." + Math.max(0, whole - 2) + "f %%", percentile);
    }

    /**
     * Writes the plot.
     *
     * @param path replaced if it exists; PNG if its name ends so, otherwise SVG
     * @throws IOException if it cannot be written
     */
    public void write(Path path) throws IOException {
        if (path.toString().toLowerCase(Locale.ROOT).endsWith(".png")) {
            file.writePng(path);
        } else {
            file.writeSvg(path);
        }
    }

    /** Numbers as an axis shows them. */
    private static final class Labels extends NumberFormat {
        private static final long serialVersionUID = 1;

        private final transient DoubleFunction<String> text;

        Labels(DoubleFunction<String> text) {
            this.text = text;
        }

        @Override
        public StringBuffer format(double number, StringBuffer to, FieldPosition position) {
            return to.append(text.apply(number));
        }

        @Override
        public StringBuffer format(long number, StringBuffer to, FieldPosition position) {
            return format((double) number, to, position);
        }

        @Override
        public Number parse(String source, ParsePosition position) {
            throw new UnsupportedOperationException("only for labels");
        }
    }
}

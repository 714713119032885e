package io.loomverbs.bench;

import io.loomverbs.tools.plot.ChartFile;

import org.jfree.chart.ChartFactory;
import org.jfree.chart.JFreeChart;
import org.jfree.chart.axis.AxisLocation;
import org.jfree.chart.axis.CategoryAxis;
import org.jfree.chart.axis.LogAxis;
import org.jfree.chart.axis.NumberAxis;
import org.jfree.chart.axis.NumberTickUnit;
import org.jfree.chart.axis.NumberTickUnitSource;
import org.jfree.chart.axis.ValueAxis;
import org.jfree.chart.plot.CategoryPlot;
import org.jfree.chart.plot.PlotOrientation;
import org.jfree.chart.renderer.category.BarRenderer;
import org.jfree.chart.renderer.category.CategoryItemRenderer;
import org.jfree.chart.renderer.category.LineAndShapeRenderer;
import org.jfree.chart.renderer.category.StandardBarPainter;
import org.jfree.chart.ui.RectangleEdge;
import org.jfree.chart.ui.RectangleInsets;
import org.jfree.data.category.DefaultCategoryDataset;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Stroke;
import java.awt.geom.Ellipse2D;
import java.awt.geom.Rectangle2D;
import java.io.IOException;
import java.nio.file.Path;
import java.text.NumberFormat;
import java.util.List;
import java.util.Locale;

/** A panel, drawn. Ours in blue, limits in grey and dashed, others in warm colours. */
final class Plot {
    private static final int WIDTH = 860;
    private static final int HEIGHT = 430;
    private static final Font SMALL = new Font(ChartFile.FONT, Font.PLAIN, 12);
    private static final Color INK = new Color(0x33, 0x3d, 0x4d);
    private static final Color GRID = new Color(0xe3, 0xe8, 0xef);
    private static final Color AXIS = new Color(0x8a, 0x94, 0xa3);
    private static final List<Color> LIMITS = List.of(AXIS, new Color(0xc3, 0xca, 0xd4));
    private static final List<Color> OURS =
            List.of(
                    new Color(0x1d, 0x4e, 0xd8),
                    new Color(0x0e, 0xa5, 0xe9),
                    new Color(0x63, 0x66, 0xf1),
                    new Color(0x14, 0xb8, 0xa6));
    private static final List<Color> PEERS =
            List.of(
                    new Color(0xea, 0x58, 0x0c),
                    new Color(0xe1, 0x1d, 0x48),
                    new Color(0xd9, 0x9a, 0x06),
                    new Color(0x9d, 0x5b, 0x2f),
                    new Color(0xc0, 0x26, 0xd3));

    private final Panel panel;
    private final JFreeChart chart;
    private final ChartFile file;

    Plot(Panel panel) {
        this.panel = panel;
        DefaultCategoryDataset data = new DefaultCategoryDataset();
        for (Panel.Row row : panel.rows()) {
            for (String column : panel.columns()) {
                Figure figure = panel.at(row, column);
                // Zero has no place on a logarithmic axis.
                if (figure != null && (!panel.isLogarithmic() || figure.median() > 0)) {
                    data.addValue(figure.median(), row.label(), column);
                } else {
                    data.addValue(null, row.label(), column);
                }
            }
        }
        chart =
                panel.kind() == Panel.Kind.BARS
                        ? ChartFactory.createBarChart(null, panel.across(), panel.unit(), data)
                        : ChartFactory.createLineChart(null, panel.across(), panel.unit(), data);
        style();
        file = new ChartFile(chart, WIDTH, HEIGHT, panel.title());
    }

    private void style() {
        chart.setBackgroundPaint(Color.WHITE);
        chart.setPadding(new RectangleInsets(10, 8, 8, 16));
        chart.getLegend().setPosition(RectangleEdge.RIGHT);
        chart.getLegend().setItemFont(SMALL);
        chart.getLegend().setItemPaint(INK);
        chart.getLegend().setBorder(0, 0, 0, 0);
        CategoryPlot plot = chart.getCategoryPlot();
        plot.setOrientation(PlotOrientation.VERTICAL);
        plot.setBackgroundPaint(Color.WHITE);
        plot.setOutlineVisible(false);
        plot.setRangeGridlinePaint(GRID);
        plot.setRangeGridlineStroke(new BasicStroke(1));
        plot.setRangeAxis(valueAxis());
        plot.setRangeAxisLocation(AxisLocation.BOTTOM_OR_LEFT);
        plot.setAxisOffset(new RectangleInsets(2, 2, 2, 2));
        CategoryAxis categories = plot.getDomainAxis();
        categories.setTickLabelFont(SMALL);
        categories.setTickLabelPaint(INK);
        categories.setLabelFont(SMALL);
        categories.setLabelPaint(INK);
        categories.setAxisLinePaint(AXIS);
        categories.setTickMarksVisible(false);
        if (panel.kind() == Panel.Kind.BARS) {
            BarRenderer bars = (BarRenderer) plot.getRenderer();
            bars.setBarPainter(new StandardBarPainter());
            bars.setShadowVisible(false);
            bars.setItemMargin(0.06);
            bars.setMaximumBarWidth(0.09);
            categories.setCategoryMargin(0.24);
        }
        colour(plot.getRenderer());
    }

    private ValueAxis valueAxis() {
        ValueAxis axis;
        if (panel.isLogarithmic()) {
            LogAxis logarithmic = new LogAxis(panel.unit());
            NumberFormat plain = NumberFormat.getNumberInstance(Locale.ROOT);
            plain.setMaximumFractionDigits(4);
            logarithmic.setNumberFormatOverride(plain);
            logarithmic.setSmallestValue(1e-4);
            logarithmic.setTickUnit(new NumberTickUnit(1, plain)); // powers of ten
            axis = logarithmic;
        } else {
            NumberAxis linear = new NumberAxis(panel.unit());
            linear.setStandardTickUnits(new NumberTickUnitSource());
            linear.setAutoRangeIncludesZero(true);
            axis = linear;
        }
        axis.setTickLabelFont(SMALL);
        axis.setTickLabelPaint(INK);
        axis.setLabelFont(SMALL);
        axis.setLabelPaint(INK);
        axis.setAxisLineVisible(false);
        axis.setTickMarksVisible(false);
        return axis;
    }

    private void colour(CategoryItemRenderer renderer) {
        int ours = 0;
        int peers = 0;
        int limits = 0;
        List<Panel.Row> rows = panel.rows();
        for (int i = 0; i < rows.size(); i++) {
            Color colour =
                    switch (rows.get(i).role()) {
                        case OURS -> OURS.get(ours++ % OURS.size());
                        case LIMIT -> LIMITS.get(limits++ % LIMITS.size());
                        case PEER -> PEERS.get(peers++ % PEERS.size());
                    };
            renderer.setSeriesPaint(i, colour);
            renderer.setSeriesStroke(i, stroke(rows.get(i).role()));
            if (renderer instanceof LineAndShapeRenderer lines) {
                lines.setSeriesShapesVisible(i, true);
                lines.setSeriesShape(
                        i,
                        rows.get(i).role() == Panel.Role.PEER
                                ? new Rectangle2D.Double(-3, -3, 6, 6)
                                : new Ellipse2D.Double(-4, -4, 8, 8));
            }
        }
    }

    private static Stroke stroke(Panel.Role role) {
        return switch (role) {
            case OURS -> new BasicStroke(3, BasicStroke.CAP_ROUND, BasicStroke.JOIN_ROUND);
            case LIMIT ->
                    new BasicStroke(
                            2,
                            BasicStroke.CAP_BUTT,
                            BasicStroke.JOIN_ROUND,
                            1,
                            new float[] {6, 4},
                            0);
            case PEER -> new BasicStroke(1.6f, BasicStroke.CAP_ROUND, BasicStroke.JOIN_ROUND);
        };
    }

    /** As SVG, to stand in a page. */
    String svg() throws IOException {
        return file.svg();
    }

    void writeSvg(Path path) throws IOException {
        file.writeSvg(path);
    }

    void writePng(Path path) throws IOException {
        file.writePng(path);
    }
}

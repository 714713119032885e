package io.loomverbs.tools.plot;

import org.apache.batik.svggen.SVGGraphics2D;
import org.jfree.chart.JFreeChart;
import org.w3c.dom.Document;

import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.geom.Rectangle2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

import javax.imageio.ImageIO;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;

/** A chart that becomes a file. */
public final class ChartFile {
    /** The font of all charts: its widths are those that the browser's stand-in has. */
    public static final String FONT = "DejaVu Sans";

    private static final int PNG_SCALE = 2;

    private final JFreeChart chart;
    private final int width;
    private final int height;
    private final String title;

    /**
     * @param chart what to draw
     * @param width in pixels
     * @param height in pixels
     * @param title what it shows, in words, for readers that cannot see it
     */
    public ChartFile(JFreeChart chart, int width, int height, String title) {
        this.chart = chart;
        this.width = width;
        this.height = height;
        this.title = title;
    }

    /**
     * As SVG that scales, to stand in a page.
     *
     * @return the element
     * @throws IOException if it cannot be drawn
     */
    public String svg() throws IOException {
        Document document;
        try {
            document =
                    DocumentBuilderFactory.newInstance()
                            .newDocumentBuilder()
                            .getDOMImplementation()
                            .createDocument(SVGGraphics2D.SVG_NAMESPACE_URI, "svg", null);
        } catch (ParserConfigurationException e) {
            throw new IllegalStateException("this JDK makes no documents", e);
        }
        SVGGraphics2D graphics = new SVGGraphics2D(document);
        chart.draw(graphics, new Rectangle2D.Double(0, 0, width, height));
        StringWriter out = new StringWriter();
        graphics.stream(out, true);
        String svg = out.toString();
        return svg.substring(svg.indexOf("<svg"))
                // Verdana is as wide as what was measured, where that is missing.
                .replace("'" + FONT + "'", "'" + FONT + "', Verdana, sans-serif")
                .replaceFirst(
                        "<svg",
                        String.format(
                                Locale.ROOT,
                                "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\"",
                                width,
                                height,
                                Html.escape(title)));
    }

    /**
     * Writes it as SVG of a fixed size.
     *
     * @param file replaced if it exists
     * @throws IOException if it cannot be written
     */
    public void writeSvg(Path file) throws IOException {
        Files.writeString(
                file,
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                        + svg().replaceFirst(
                                        "<svg",
                                        String.format(
                                                Locale.ROOT,
                                                "<svg width=\"%d\" height=\"%d\"",
                                                width,
                                                height)));
    }

    /**
     * Writes it as PNG, with twice as many pixels each way.
     *
     * @param file replaced if it exists
     * @throws IOException if it cannot be written
     */
    public void writePng(Path file) throws IOException {
        BufferedImage image =
                new BufferedImage(
                        width * PNG_SCALE, height * PNG_SCALE, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = image.createGraphics();
        graphics.setRenderingHint(
                RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
        graphics.setRenderingHint(
                RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
        graphics.scale(PNG_SCALE, PNG_SCALE);
        chart.draw(graphics, new Rectangle2D.Double(0, 0, width, height));
        graphics.dispose();
        ImageIO.write(image, "png", file.toFile());
    }
}

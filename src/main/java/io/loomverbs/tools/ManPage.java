package io.loomverbs.tools;

import picocli.CommandLine;
import picocli.CommandLine.Help;
import picocli.CommandLine.Model.UsageMessageSpec;

import java.util.List;
import java.util.Locale;

/** The help of a command in the form of man(7), the roff macros that {@code man} uses. */
final class ManPage {
    /** Less than man's own, so that lines of the help fit a terminal of 80 columns. */
    private static final int INDENTATION = 3;

    private static final int COLUMNS = 80;
    private static final String EXAMPLES = "Examples:";

    private final StringBuilder text = new StringBuilder();

    private ManPage() {}

    /** The name of a command's page, such as {@code loomverbs-storm}. */
    static String name(CommandLine command) {
        return command.getCommandSpec().qualifiedName("-");
    }

    /** A page as it is to be written to a file. */
    static String of(CommandLine command) {
        return new ManPage().write(command);
    }

    private String write(CommandLine command) {
        UsageMessageSpec usage = command.getCommandSpec().usageMessage();
        int width = usage.width();
        usage.width(COLUMNS - INDENTATION);
        try {
            return write(command, usage);
        } finally {
            usage.width(width);
        }
    }

    private String write(CommandLine command, UsageMessageSpec usage) {
        Help help = new Help(command.getCommandSpec(), Help.defaultColorScheme(Help.Ansi.OFF));
        String name = name(command);
        String program = name.contains("-") ? name.substring(0, name.indexOf('-')) : name;
        text.append(".TH ")
                .append(name.toUpperCase(Locale.ROOT))
                .append(" 1 \"\" \"")
                .append(program)
                .append("\"\n");
        String description = help.description().strip().replaceAll("\\s+", " ");
        section("NAME", escaped(name + " - " + firstSentence(description)) + "\n");
        verbatim("SYNOPSIS", help.synopsis(0));
        verbatim("DESCRIPTION", help.description());
        verbatim("ARGUMENTS", help.parameterList());
        verbatim("OPTIONS", help.optionList());
        if (!command.getSubcommands().isEmpty()) {
            verbatim("COMMANDS", help.commandList());
        }
        verbatim("EXIT STATUS", help.exitCodeList());
        String footer = usage.footerHeading().replace("%n", "\n") + help.footer();
        int examples = footer.indexOf(EXAMPLES);
        int end = examples < 0 ? footer.length() : examples;
        verbatim("NOTES", footer.substring(0, end));
        verbatim("EXAMPLES", examples < 0 ? "" : footer.substring(end + EXAMPLES.length()));
        if (!name.equals(program)) {
            section("SEE ALSO", "\\fB" + program + "\\fR(1)\n");
        }
        return text.toString();
    }

    private static String firstSentence(String description) {
        int end = description.indexOf(". ");
        String first = end < 0 ? description : description.substring(0, end);
        return first.endsWith(".") ? first.substring(0, first.length() - 1) : first;
    }

    private void section(String heading, String body) {
        text.append(".SH ").append(heading).append("\n.in ").append(INDENTATION).append("n\n");
        text.append(body);
    }

    /** Unchanged lines without their common indentation; none if there are none to print. */
    private void verbatim(String heading, String lines) {
        if (lines.isBlank()) {
            return;
        }
        List<String> all = lines.stripTrailing().lines().dropWhile(String::isBlank).toList();
        int indented =
                all.stream()
                        .filter(line -> !line.isBlank())
                        .mapToInt(line -> line.indexOf(line.strip()))
                        .min()
                        .orElse(0);
        StringBuilder body = new StringBuilder(".nf\n");
        for (String line : all) {
            body.append(escaped(line.isBlank() ? "" : line.substring(indented))).append('\n');
        }
        section(heading, body.append(".fi\n").toString());
    }

    /** A backslash is an escape, roff would typeset a hyphen as one, and a dot begins a request. */
    private static String escaped(String line) {
        String plain = line.stripTrailing().replace("\\", "\\e").replace("-", "\\-");
        return plain.startsWith(".") || plain.startsWith("'") ? "\\&" + plain : plain;
    }
}

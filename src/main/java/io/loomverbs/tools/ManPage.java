package io.loomverbs.tools;

import picocli.CommandLine;
import picocli.CommandLine.Help;
import picocli.CommandLine.Model.UsageMessageSpec;

import java.util.Locale;

/** The help of a command in the form of man(7), the roff macros that {@code man} uses. */
final class ManPage {
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
        Help help = new Help(command.getCommandSpec(), Help.defaultColorScheme(Help.Ansi.OFF));
        UsageMessageSpec usage = command.getCommandSpec().usageMessage();
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
        String heading = usage.footerHeading().replace("%n", "");
        boolean examples = heading.toLowerCase(Locale.ROOT).contains("examples");
        verbatim(examples ? "EXAMPLES" : "NOTES", help.footer());
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
        text.append(".SH ").append(heading).append('\n').append(body);
    }

    /** Unchanged lines; none if there are none to print. */
    private void verbatim(String heading, String lines) {
        if (lines.isBlank()) {
            return;
        }
        StringBuilder body = new StringBuilder(".nf\n");
        lines.stripTrailing().lines().forEach(line -> body.append(escaped(line)).append('\n'));
        section(heading, body.append(".fi\n").toString());
    }

    /** A backslash is an escape, roff would typeset a hyphen as one, and a dot begins a request. */
    private static String escaped(String line) {
        String plain = line.stripTrailing().replace("\\", "\\e").replace("-", "\\-");
        return plain.startsWith(".") || plain.startsWith("'") ? "\\&" + plain : plain;
    }
}

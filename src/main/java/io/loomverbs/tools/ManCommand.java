package io.loomverbs.tools;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;

/** Writes the man pages. */
@Command(
        name = "man",
        description = "Print the man page of a command, or write those of all into a folder.",
        mixinStandardHelpOptions = true,
        footerHeading = "%nExamples:%n",
        footer = {
            "  man -l <(loomverbs man storm)",
            "  loomverbs man --out ~/.local/share/man/man1"
        })
final class ManCommand implements Callable<Integer> {
    @Parameters(
            paramLabel = "COMMAND",
            arity = "0..1",
            description = "The command; without it, the page of loomverbs itself.")
    private @Nullable String command;

    @Option(
            names = {"-o", "--out"},
            paramLabel = "FOLDER",
            description = "Write all pages there, such as loomverbs-storm.1.")
    private @Nullable Path folder;

    @SuppressWarnings("NullAway.Init") // picocli sets it
    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        Map<String, CommandLine> all = new LinkedHashMap<>();
        CommandLine main = spec.parent().commandLine();
        all.put("", main);
        all.putAll(main.getSubcommands());
        PrintWriter out = spec.commandLine().getOut();
        if (folder == null) {
            CommandLine one = all.get(command == null ? "" : command);
            if (one == null) {
                throw Options.wrong(
                        spec,
                        "COMMAND is "
                                + command
                                + ", but must be one of "
                                + main.getSubcommands().keySet());
            }
            out.print(ManPage.of(one));
        } else {
            if (command != null) {
                throw Options.wrong(
                        spec, "COMMAND cannot be combined with --out, which writes all pages");
            }
            Files.createDirectories(folder);
            for (CommandLine one : all.values()) {
                Path page = folder.resolve(ManPage.name(one) + ".1");
                Files.writeString(page, ManPage.of(one));
                out.println(page);
            }
        }
        out.flush();
        return ExitCode.OK;
    }
}

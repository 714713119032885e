package io.loomverbs.tools;

import io.loomverbs.Verbs;

import picocli.AutoComplete.GenerateCompletion;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.UsageMessageSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;
import picocli.CommandLine.UnmatchedArgumentException;

import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.util.Locale;
import java.util.Properties;
import java.util.concurrent.Callable;

/** The command line. */
@Command(
        name = "loomverbs",
        description = "RDMA completion events for virtual threads: tools to inspect and try them.",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        subcommands = {
            DevinfoCommand.class,
            PingpongCommand.class,
            RpingCommand.class,
            StormCommand.class,
            SoakCommand.class,
            IdleCommand.class,
            TopCommand.class,
            BenchCommand.class,
            ManCommand.class,
            HelpCommand.class
        },
        exitCodeListHeading = "%nExit status:%n",
        exitCodeList = {
            "0:success",
            "1:something failed, or was lost, or memory ran out; the output says what",
            "2:an option or argument is wrong",
            "130:ended by Ctrl-C",
            "143:ended by SIGTERM"
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  loomverbs devinfo -v",
            "  loomverbs pingpong --events --size 64",
            "  loomverbs storm --cqs 10000 --churn",
            "  source <(loomverbs completion)            for bash and zsh",
            "  man -l <(loomverbs man storm)",
            "",
            "./loomverbs passes LOOMVERBS_JAVA_OPTS, such as -Xmx1g, to java."
        })
public final class Main implements Callable<Integer> {
    private static final String[] COMPLETION_EXAMPLES = {
        "",
        "Examples:",
        "  source <(loomverbs completion)                       for this shell",
        "  loomverbs completion > ~/.local/share/bash-completion/completions/loomverbs"
    };

    @Option(
            names = "--verbose",
            scope = ScopeType.INHERIT,
            description = "Show the stack trace of a failure.")
    private boolean verbose;

    @SuppressWarnings("NullAway.Init") // picocli sets it
    @Spec
    private CommandSpec spec;

    private Main() {}

    /** Without a command there is only help. */
    @Override
    public Integer call() {
        throw new ParameterException(
                spec.commandLine(), "a command is missing: " + spec.subcommands().keySet());
    }

    /** The output of --version. */
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            Throwable cause = Verbs.unavailabilityCause();
            return new String[] {
                "loomverbs " + version(),
                "Java " + Runtime.version() + ", " + System.getProperty("java.vendor"),
                System.getProperty("os.name")
                        + " "
                        + System.getProperty("os.version")
                        + ", "
                        + System.getProperty("os.arch")
                        + ", "
                        + Runtime.getRuntime().availableProcessors()
                        + " processors",
                "devices: " + Verbs.devices(),
                cause == null ? "libibverbs: found" : "libibverbs: " + cause.getMessage()
            };
        }

        /** The build writes it into the file. */
        private static String version() {
            Properties properties = new Properties();
            try (InputStream file = Main.class.getResourceAsStream("version.properties")) {
                if (file != null) {
                    properties.load(file);
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            return properties.getProperty("version", "of unknown version");
        }
    }

    /**
     * Runs a command and ends the JVM with its exit status.
     *
     * @param args the command and its options
     */
    public static void main(String[] args) {
        HeapWatch heap = new HeapWatch(ExitCode.SOFTWARE);
        heap.start();
        int status;
        try {
            status = commandLine().execute(args);
        } catch (OutOfMemoryError e) {
            if (HeapWatch.isOfHeap(e)) {
                heap.end();
            }
            System.err.println("failed: out of memory (" + e.getMessage() + ")"); // of threads
            status = ExitCode.SOFTWARE;
        }
        System.exit(isWritten() ? status : ExitCode.SOFTWARE);
    }

    /** Whether all output could be written; false for a full disk or a closed pipe. */
    private static boolean isWritten() {
        if (System.out.checkError()) {
            System.err.println("failed: standard output could not be written");
            return false;
        }
        return true;
    }

    /** Names only the first unknown word: picocli lists all that follow it, too. */
    private static String message(ParameterException e) {
        if (e instanceof UnmatchedArgumentException unmatched) {
            String word = unmatched.getUnmatched().getFirst();
            if (unmatched.isUnknownOption()) {
                return "unknown option: " + word;
            }
            boolean hasCommands = !e.getCommandLine().getSubcommands().isEmpty();
            return (hasCommands ? "unknown command: " : "unexpected argument: ") + word;
        }
        return String.valueOf(e.getMessage());
    }

    /** The message of a failure; its class only if it has none. */
    private static String reason(Exception e) {
        return e.getMessage() == null ? e.toString() : e.getMessage();
    }

    /** The command line, ready to execute. Numbers are written in one way everywhere. */
    static CommandLine commandLine() {
        Locale.setDefault(Locale.Category.FORMAT, Locale.ROOT);
        Main main = new Main();
        CommandLine commandLine = new CommandLine(main);
        CommandLine completion = new CommandLine(new GenerateCompletion());
        completion.setCommandName("completion");
        completion
                .getCommandSpec()
                .usageMessage()
                .description(
                        "Print a script that makes bash and zsh complete commands and options.")
                .footer(COMPLETION_EXAMPLES)
                .hidden(false);
        commandLine.addSubcommand("completion", completion);
        UsageMessageSpec usage = commandLine.getCommandSpec().usageMessage();
        for (CommandLine subcommand : commandLine.getSubcommands().values()) {
            UsageMessageSpec its = subcommand.getCommandSpec().usageMessage();
            its.exitCodeListHeading(usage.exitCodeListHeading());
            its.exitCodeList(usage.exitCodeList());
        }
        commandLine.setCaseInsensitiveEnumValuesAllowed(true);
        commandLine.setParameterExceptionHandler(
                (e, args) -> {
                    CommandLine command = e.getCommandLine();
                    PrintWriter err = command.getErr();
                    err.println(command.getColorScheme().errorText(message(e)));
                    UnmatchedArgumentException.printSuggestions(e, err);
                    err.println("Try '" + command.getCommandSpec().qualifiedName() + " --help'.");
                    return ExitCode.USAGE;
                });
        commandLine.setExecutionExceptionHandler(
                (e, command, result) -> {
                    PrintWriter err = command.getErr();
                    err.println(command.getColorScheme().errorText("failed: " + reason(e)));
                    if (main.verbose) {
                        e.printStackTrace(err);
                    } else {
                        err.println("--verbose shows where.");
                    }
                    return ExitCode.SOFTWARE;
                });
        return commandLine;
    }
}

package io.loomverbs.tools;

import io.loomverbs.ContextStats;

import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

import java.io.Console;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;

/** Shows the CQs, channels and waiting threads of another process. */
@Command(
        name = "top",
        description = {
            "Show the CQs, completion channels and waiting threads of a running process, their"
                    + " rates, and what looks wrong.",
            "",
            "The process must run as the same user and have registered the MXBean of loomverbs"
                    + " (VerbsManagement.register()), as pingpong, storm, soak and idle do."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {"  loomverbs top 4711", "  loomverbs top --once --json 4711"})
final class TopCommand implements Callable<Integer> {
    private static final String CLEAR = "\033[H\033[2J";

    @Parameters(paramLabel = "PID", description = "The process.")
    private long pid;

    @Option(
            names = "--interval",
            defaultValue = "1",
            paramLabel = "SECONDS",
            description =
                    "The time between two looks; rates are averages over it (${DEFAULT-VALUE}).")
    private double seconds;

    @Option(names = "--once", description = "Look twice, print the difference, and end.")
    private boolean once;

    @Option(names = "--json", description = "Print JSON, a line for each difference.")
    private boolean json;

    @SuppressWarnings("NullAway.Init") // picocli sets it
    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws InterruptedException {
        if (!(seconds >= 0.01 && seconds <= 3600)) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--interval is " + seconds + ", but must be 0.01 to 3600 seconds");
        }
        try (ObservedProcess process = ObservedProcess.attach(pid)) {
            return look(process);
        } catch (IOException e) {
            throw new IllegalStateException("process " + pid + ": " + e.getMessage(), e);
        } catch (NoClassDefFoundError e) {
            throw new IllegalStateException(
                    "top needs the modules jdk.attach and java.management.rmi: " + e.getMessage(),
                    e);
        }
    }

    private int look(ObservedProcess process) throws IOException, InterruptedException {
        PrintWriter out = spec.commandLine().getOut();
        TopDifference difference = new TopDifference(process.contexts());
        do {
            Thread.sleep((long) (seconds * 1000));
            List<ContextStats> now = process.contexts();
            difference.next(now);
            if (json) {
                out.println(TopJson.of(difference));
            } else {
                out.print((isLive() ? CLEAR : "") + TopText.of(pid, difference));
            }
            out.flush();
        } while (!once && !out.checkError());
        return ExitCode.OK;
    }

    @SuppressWarnings(
            "SystemConsoleNull") // it is null where -Djdk.console=java.base has no terminal
    private boolean isLive() {
        Console console = System.console();
        return !once && console != null && console.isTerminal();
    }
}

package io.loomverbs.tools;

import picocli.CommandLine;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;

/** A command of loomverbs that runs in a thread of this JVM. */
record CommandRun(FutureTask<Integer> task, StringWriter out, StringWriter err, Duration patience) {
    /**
     * @param patience how long it may take
     */
    static CommandRun start(String arguments, Duration patience) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        CommandLine commands = Main.commandLine();
        commands.setOut(new PrintWriter(out));
        commands.setErr(new PrintWriter(err));
        FutureTask<Integer> task = new FutureTask<>(() -> commands.execute(arguments.split(" ")));
        Thread.ofPlatform().daemon().name("loomverbs").start(task);
        return new CommandRun(task, out, err, patience);
    }

    /** How it has ended. Fails if it does not end in time. */
    int status() throws Exception {
        return task.get(patience.toMillis(), TimeUnit.MILLISECONDS);
    }

    String printed() {
        return out.toString() + err;
    }
}

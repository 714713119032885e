package io.loomverbs.tools;

import io.loomverbs.Device;
import io.loomverbs.Verbs;

import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;

/** Checks of options, worded in one way: the option, its value, the limit. */
final class Options {
    private Options() {}

    static void inRange(CommandSpec spec, String name, long value, long min, long max, String why) {
        if (value < min || value > max) {
            throw wrong(
                    spec,
                    name + " is " + value + ", but must be " + min + " to " + max + ": " + why);
        }
    }

    static Device device(CommandSpec spec, String name) {
        try {
            return Verbs.device(name);
        } catch (IllegalArgumentException e) {
            throw wrong(spec, "--device: " + e.getMessage());
        }
    }

    static ParameterException wrong(CommandSpec spec, String message) {
        CommandLine commandLine = spec.commandLine();
        return new ParameterException(commandLine, message);
    }
}

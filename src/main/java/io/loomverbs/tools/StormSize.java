package io.loomverbs.tools;

import io.loomverbs.Device;

import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/** The options of commands that run a storm: with how many CQs, and on which device. */
final class StormSize {
    @Option(
            names = "--cqs",
            converter = Count.Things.class,
            paramLabel = "COUNT",
            description = "How many CQs, and handlers, the storm has (${DEFAULT-VALUE}).")
    int cqs;

    @Option(
            names = {"-d", "--device"},
            paramLabel = "NAME",
            description = "The device (${DEFAULT-VALUE}).")
    String device = "soft0";

    /** The default number of CQs. */
    StormSize(int cqs) {
        this.cqs = cqs;
    }

    Device device(CommandSpec spec) {
        return Options.device(spec, device);
    }
}

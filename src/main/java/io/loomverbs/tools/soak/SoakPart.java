package io.loomverbs.tools.soak;

/** Work that runs during each round of a soak, beside all the other parts. */
public interface SoakPart {
    /**
     * Its name, for messages.
     *
     * @return a short name
     */
    String name();

    /**
     * Runs on a virtual thread of its own until the round is over.
     *
     * @param round the round
     * @throws Exception if something is not as it must be, which ends the soak
     */
    void run(Round round) throws Exception;
}

package io.loomverbs;

/**
 * A copy of one work completion; see {@link WorkCompletions} for when which component is valid.
 *
 * @param wrId the number that the work request was given
 * @param status how the work request ended
 * @param opcode what kind of work request it was
 * @param vendorError the device's own number for an error
 * @param byteLen how many bytes were received or read
 * @param hasImm whether an immediate came with the message
 * @param immData the immediate
 * @param qpNum the number of the local queue pair
 * @param srcQp the number of the queue pair that sent a UD message
 */
public record WorkCompletion(
        long wrId,
        WcStatus status,
        WcOpcode opcode,
        int vendorError,
        int byteLen,
        boolean hasImm,
        int immData,
        int qpNum,
        int srcQp) {}

package io.loomverbs;

import java.util.Locale;

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
 * @param hasGrh whether the first 40 bytes of a UD receive buffer hold a routing header
 * @param slid the local identifier of the port that sent a UD message
 * @param sl the service level of a UD message
 * @param dlidPathBits the path bits of the address that a UD message was sent to
 * @param pkeyIndex which partition key a message came with
 * @param statusNumber the value of {@code status} in verbs, also of a status that is {@link
 *     WcStatus#OTHER}
 * @param opcodeNumber the value of {@code opcode} in verbs, also of an opcode that is {@link
 *     WcOpcode#OTHER}
 * @param hasInvalidatedRkey whether the message has invalidated a key of this side
 * @param invalidatedRkey that key
 * @param timestamp when the work was done, by the device's clock; 0 unless the CQ has {@link
 *     WcField#COMPLETION_TIMESTAMP}
 * @param wallclockNanos when the work was done, by the time of day; 0 unless the CQ has {@link
 *     WcField#COMPLETION_TIMESTAMP_WALLCLOCK}
 * @param cvlan the tag of the VLAN that a packet came from; 0 unless the CQ has {@link
 *     WcField#CVLAN}
 * @param flowTag the tag that a flow rule gave a packet; 0 unless the CQ has {@link
 *     WcField#FLOW_TAG}
 * @since 0.1.0
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
        int srcQp,
        boolean hasGrh,
        int slid,
        int sl,
        int dlidPathBits,
        int pkeyIndex,
        int statusNumber,
        int opcodeNumber,
        boolean hasInvalidatedRkey,
        int invalidatedRkey,
        long timestamp,
        long wallclockNanos,
        int cvlan,
        int flowTag) {

    /** The valid fields of the completion; a failed one has few. */
    @Override
    public String toString() {
        StringBuilder text =
                new StringBuilder("WorkCompletion[wrId=")
                        .append(wrId)
                        .append(", status=")
                        .append(Wording.named(status, WcStatus.OTHER, statusNumber))
                        .append(", qpNum=")
                        .append(Wording.hex24(qpNum));
        if (status != WcStatus.SUCCESS) {
            return text.append(", vendorError=").append(vendorError).append(']').toString();
        }
        text.append(", opcode=")
                .append(Wording.named(opcode, WcOpcode.OTHER, opcodeNumber))
                .append(", byteLen=")
                .append(byteLen);
        if (hasImm) {
            text.append(String.format(Locale.ROOT, ", immData=0x%08x", immData));
        }
        if (hasInvalidatedRkey) {
            text.append(String.format(Locale.ROOT, ", invalidatedRkey=0x%x", invalidatedRkey));
        }
        if (srcQp != 0) {
            text.append(", srcQp=").append(Wording.hex24(srcQp));
        }
        if (timestamp != 0) {
            text.append(", timestamp=").append(timestamp);
        }
        if (wallclockNanos != 0) {
            text.append(", wallclockNanos=").append(wallclockNanos);
        }
        return text.append(']').toString();
    }
}

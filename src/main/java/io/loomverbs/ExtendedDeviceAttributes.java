package io.loomverbs;

import io.loomverbs.internal.device.DeviceAttrEx;

/**
 * What a device reports about its optional features ({@code ibv_query_device_ex}). A value of 0
 * means that the device lacks the feature, or that its driver does not say.
 *
 * @param deviceCapFlagsEx capability flags, as in {@code enum ibv_device_cap_flags} and {@code enum
 *     ibv_raw_packet_caps} ({@code device_cap_flags_ex})
 * @param odpGeneralCaps on-demand paging ({@code odp_caps.general_caps}): bit 0 if the device
 *     offers it, see {@link Access#ON_DEMAND}; bit 1 if a region can be the whole address space
 * @param rcOdpCaps which operations of RC queue pairs may meet a page that is not there ({@code
 *     enum ibv_odp_transport_cap_bits})
 * @param ucOdpCaps the same for UC
 * @param udOdpCaps the same for UD
 * @param completionTimestampMask the bits of a completion's timestamp that count
 * @param hcaCoreClock the frequency of the clock of these timestamps, in kHz
 * @param maxModerationCount the most completions for {@link CompletionQueue#moderate} ({@code
 *     cq_mod_caps.max_cq_count})
 * @param maxModerationMicros the longest period for it, in microseconds ({@code
 *     cq_mod_caps.max_cq_period})
 * @since 0.1.0
 */
public record ExtendedDeviceAttributes(
        long deviceCapFlagsEx,
        long odpGeneralCaps,
        int rcOdpCaps,
        int ucOdpCaps,
        int udOdpCaps,
        long completionTimestampMask,
        long hcaCoreClock,
        int maxModerationCount,
        int maxModerationMicros) {

    private static final long KHZ = 1000;
    private static final long NANOS_PER_SECOND = 1_000_000_000;
    private static final long NANOS_PER_MILLI = 1_000_000;

    /**
     * The time between two values of the device's clock, such as {@link WorkCompletions#timestamp}.
     * The clock wraps around when the bits of {@code completionTimestampMask} are used up; the two
     * values must be less than one such period apart.
     *
     * @param from the earlier value
     * @param to the later value
     * @return nanoseconds; for a clock of all 64 bits negative if {@code to} is the earlier one
     * @throws IllegalStateException if the device has no such clock
     */
    public long nanos(long from, long to) {
        if (hcaCoreClock <= 0) {
            throw new IllegalStateException("the device has no clock: hca_core_clock is 0");
        }
        long ticks = to - from & completionTimestampMask;
        long perSecond = hcaCoreClock * KHZ;
        return ticks / perSecond * NANOS_PER_SECOND
                + ticks % perSecond * NANOS_PER_MILLI / hcaCoreClock;
    }

    static ExtendedDeviceAttributes of(DeviceAttrEx attr) {
        return new ExtendedDeviceAttributes(
                attr.deviceCapFlagsEx(),
                attr.odpGeneralCaps(),
                attr.rcOdpCaps(),
                attr.ucOdpCaps(),
                attr.udOdpCaps(),
                attr.completionTimestampMask(),
                attr.hcaCoreClock(),
                attr.maxCqCount(),
                attr.maxCqPeriod());
    }
}

package io.loomverbs.internal.device;

/** What {@code struct ibv_device_attr_ex} adds, as far as the API shows it. */
public record DeviceAttrEx(
        long deviceCapFlagsEx,
        long odpGeneralCaps,
        int rcOdpCaps,
        int ucOdpCaps,
        int udOdpCaps,
        long completionTimestampMask,
        long hcaCoreClock,
        int maxCqCount,
        int maxCqPeriod) {
    /** Of a device that says nothing: as in verbs, 0 means that there is none. */
    public static final DeviceAttrEx NONE = new DeviceAttrEx(0, 0, 0, 0, 0, 0, 0, 0, 0);
}

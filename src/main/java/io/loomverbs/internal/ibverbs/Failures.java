package io.loomverbs.internal.ibverbs;

import io.loomverbs.internal.device.DeviceException;

/** What a verb that creates something reports. */
final class Failures {
    private Failures() {}

    /**
     * @param result the negative errno
     * @param arguments what the verb was called with
     */
    static DeviceException of(String verb, long result, String arguments) {
        return new DeviceException((int) -result, arguments);
    }
}

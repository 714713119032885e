package io.loomverbs.internal.ibverbs;

import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.device.UsualCauses;

/** The exceptions of verbs that create objects. */
final class Refusals {
    private Refusals() {}

    /**
     * @param result the negative errno
     * @param arguments the arguments of the verb
     */
    static DeviceException of(String verb, long result, String arguments) {
        int errno = (int) -result;
        return new DeviceException(errno, arguments + UsualCauses.of(verb, errno));
    }
}

package io.loomverbs.internal.rdmacm;

import io.loomverbs.internal.cm.Cm;
import io.loomverbs.internal.cm.CmEvent;
import io.loomverbs.internal.device.Errno;

/** The events raised in place of those that could not be copied: made before memory runs out. */
final class LostEvents {
    /** An event that has only its type. */
    private static final CmEvent DISCONNECTED = CmEvent.of(Cm.EVENT_DISCONNECTED, 0);

    private static final CmEvent DEVICE_REMOVAL = CmEvent.of(Cm.EVENT_DEVICE_REMOVAL, 0);
    private static final CmEvent ADDR_CHANGE = CmEvent.of(Cm.EVENT_ADDR_CHANGE, 0);
    private static final CmEvent TIMEWAIT_EXIT = CmEvent.of(Cm.EVENT_TIMEWAIT_EXIT, 0);

    private static final CmEvent MULTICAST_ERROR =
            CmEvent.of(Cm.EVENT_MULTICAST_ERROR, -Errno.ENOMEM);

    private static final CmEvent OTHER = CmEvent.of(Cm.LOST_EVENT, -Errno.ENOMEM);

    private LostEvents() {}

    static CmEvent of(int type) {
        return switch (type) {
            case Cm.EVENT_DISCONNECTED -> DISCONNECTED;
            case Cm.EVENT_DEVICE_REMOVAL -> DEVICE_REMOVAL;
            case Cm.EVENT_MULTICAST_ERROR -> MULTICAST_ERROR;
            case Cm.EVENT_ADDR_CHANGE -> ADDR_CHANGE;
            case Cm.EVENT_TIMEWAIT_EXIT -> TIMEWAIT_EXIT;
            default -> OTHER;
        };
    }
}

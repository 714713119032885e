package io.loomverbs;

import io.loomverbs.internal.device.Ibv;

import java.util.Collection;
import java.util.EnumSet;
import java.util.Set;

/**
 * A field that completions of an extended CQ have beyond those of a plain one ({@code enum
 * ibv_create_cq_wc_flags}). A program asks for it when it creates the CQ: {@link
 * CqConfig#withFields}.
 *
 * @since 0.1.0
 */
public enum WcField {
    /** When the work was done, by the device's clock: {@link WorkCompletions#timestamp}. */
    COMPLETION_TIMESTAMP(Ibv.WC_EX_WITH_COMPLETION_TIMESTAMP),
    /** When the work was done, by the time of day: {@link WorkCompletions#wallclockNanos}. */
    COMPLETION_TIMESTAMP_WALLCLOCK(Ibv.WC_EX_WITH_COMPLETION_TIMESTAMP_WALLCLOCK),
    /** The tag of the VLAN that a packet came from: {@link WorkCompletions#cvlan}. */
    CVLAN(Ibv.WC_EX_WITH_CVLAN),
    /** The tag that a flow rule gave a packet: {@link WorkCompletions#flowTag}. */
    FLOW_TAG(Ibv.WC_EX_WITH_FLOW_TAG);

    private final int flag;

    WcField(int flag) {
        this.flag = flag;
    }

    int flag() {
        return flag;
    }

    static int flags(Collection<WcField> fields) {
        int flags = 0;
        for (WcField field : fields) {
            flags |= field.flag;
        }
        return flags;
    }

    static Set<WcField> of(int flags) {
        Set<WcField> set = EnumSet.noneOf(WcField.class);
        for (WcField field : values()) {
            if ((flags & field.flag) != 0) {
                set.add(field);
            }
        }
        return set;
    }
}

package io.loomverbs.internal.rdmacm;

import io.loomverbs.internal.cm.CmIdOps;
import io.loomverbs.internal.cm.CmListener;
import io.loomverbs.internal.cm.CmOps;
import io.loomverbs.internal.device.LoadedClasses;
import io.loomverbs.internal.ffi.Librdmacm;

/** librdmacm. */
final class Rdmacm implements CmOps {
    static {
        LoadedClasses.besides(Rdmacm.class, Librdmacm.class);
    }

    static final Rdmacm INSTANCE = new Rdmacm();

    private Rdmacm() {}

    @Override
    public CmIdOps createId(CmListener events, int ps) {
        RdmacmChannel channel = RdmacmChannel.retain();
        boolean created = false;
        try {
            RdmacmId id = RdmacmId.create(channel, events, ps);
            created = true;
            return id;
        } finally {
            if (!created) {
                channel.release();
            }
        }
    }
}

package io.loomverbs.walk;

import io.loomverbs.AddressHandle;
import io.loomverbs.AsyncEvent;
import io.loomverbs.CompletionChannel;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.CqEvent;
import io.loomverbs.MemoryRegion;
import io.loomverbs.MemoryWindow;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QueuePair;
import io.loomverbs.Serving;
import io.loomverbs.SharedReceiveQueue;
import io.loomverbs.blocking.Buffer;
import io.loomverbs.blocking.BufferPool;
import io.loomverbs.blocking.Message;
import io.loomverbs.blocking.Requests;
import io.loomverbs.cm.ConnectRequest;
import io.loomverbs.cm.MulticastGroup;
import io.loomverbs.cm.RdmaConnection;
import io.loomverbs.cm.RdmaListener;
import io.loomverbs.cm.RdmaRoute;
import io.loomverbs.cm.UdListener;
import io.loomverbs.cm.UdRequest;
import io.loomverbs.cm.UdRoute;

import java.util.ArrayList;
import java.util.List;

/** An object that a walk has made, and what the walk knows of it. */
final class Known {
    final AutoCloseable object;

    /** Whether only modelled steps may change it. */
    final boolean tame;

    volatile boolean open = true;

    Known(AutoCloseable object, boolean tame) {
        this.object = object;
        this.tame = tame;
    }

    /** What it was created from and uses now: open at least as long as it is. */
    List<Object> uses() {
        List<Object> uses = new ArrayList<>();
        switch (object) {
            case CompletionChannel channel -> uses.add(channel.context());
            case ProtectionDomain pd -> uses.add(pd.context());
            case MemoryRegion mr -> uses.add(mr.pd());
            case MemoryWindow mw -> uses.add(mw.pd());
            case AddressHandle ah -> uses.add(ah.pd());
            case SharedReceiveQueue srq -> uses.add(srq.pd());
            case CompletionQueue cq -> {
                uses.add(cq.context());
                if (cq.channel() != null) {
                    uses.add(cq.channel());
                }
            }
            case QueuePair qp -> {
                uses.add(qp.pd());
                uses.add(qp.sendCq());
                uses.add(qp.recvCq());
                if (qp.srq() != null) {
                    uses.add(qp.srq());
                }
            }
            default -> {} // a context, an event
        }
        return uses;
    }

    boolean isEvent() {
        return object instanceof CqEvent || object instanceof AsyncEvent;
    }

    /** What must be closed earlier has a smaller rank. */
    int rank() {
        return switch (object) {
            case Message m -> 0;
            case Buffer b -> 0;
            case Requests r -> 0;
            case RdmaConnection c -> 0;
            case ConnectRequest r -> 0;
            case RdmaRoute r -> 0;
            case RdmaListener l -> 0;
            case UdRequest r -> 0;
            case UdRoute r -> 0;
            case UdListener l -> 0;
            case MulticastGroup g -> 0;
            case BufferPool p -> 2;
            case Serving s -> 0;
            case CqEvent e -> 0;
            case AsyncEvent e -> 0;
            case MemoryWindow mw -> 0;
            case QueuePair qp -> 1;
            case MemoryRegion mr -> 2;
            case AddressHandle ah -> 2;
            case SharedReceiveQueue srq -> 2;
            case CompletionQueue cq -> 3;
            case CompletionChannel channel -> 4;
            case ProtectionDomain pd -> 4;
            case Context context -> 5;
            default -> 1; // made of others
        };
    }
}

package io.loomverbs.misuse;

import io.loomverbs.Access;
import io.loomverbs.AddressHandle;
import io.loomverbs.AsyncEvent;
import io.loomverbs.ChannelHandler;
import io.loomverbs.CompletionChannel;
import io.loomverbs.CompletionHandler;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.CqConfig;
import io.loomverbs.CqEvent;
import io.loomverbs.CqGroup;
import io.loomverbs.Gid;
import io.loomverbs.GroupCompletions;
import io.loomverbs.MemoryRegion;
import io.loomverbs.MemoryWindow;
import io.loomverbs.MrChanges;
import io.loomverbs.MwType;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpAttributes;
import io.loomverbs.QpState;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.Serving;
import io.loomverbs.SharedReceiveQueue;
import io.loomverbs.SrqAttributes;
import io.loomverbs.WaitStats;
import io.loomverbs.WcField;
import io.loomverbs.WorkCompletions;
import io.loomverbs.blocking.Buffer;
import io.loomverbs.blocking.BufferPool;
import io.loomverbs.blocking.Description;
import io.loomverbs.blocking.Message;
import io.loomverbs.blocking.Pending;
import io.loomverbs.blocking.RemoteRegion;
import io.loomverbs.blocking.Requests;
import io.loomverbs.blocking.RequestsConfig;
import io.loomverbs.cm.ConnectRequest;
import io.loomverbs.cm.ConnectionConfig;
import io.loomverbs.cm.ConnectionManager;
import io.loomverbs.cm.MulticastGroup;
import io.loomverbs.cm.RdmaConnection;
import io.loomverbs.cm.RdmaListener;
import io.loomverbs.cm.RdmaRoute;
import io.loomverbs.cm.UdListener;
import io.loomverbs.cm.UdPeer;
import io.loomverbs.cm.UdRequest;
import io.loomverbs.cm.UdRoute;
import io.loomverbs.support.Fixture;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.Arena;
import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.Modifier;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** Something of each type that a method of the API takes or belongs to. */
final class Samples {
    private final Scene s;

    Samples(Scene s) {
        this.s = s;
    }

    Object[] arguments(Executable e) {
        Object[] arguments =
                Stream.of(e.getParameters())
                        .map(p -> ApiMethods.isNullable(p) ? null : argument(p.getType()))
                        .toArray();
        if (arguments.length >= 4 && e.getName().matches("create(Direct)?Cq")) {
            arguments[3] = 0; // not every device has a second completion vector
        }
        return arguments;
    }

    Object receiver(Executable e) {
        return e instanceof Constructor || Modifier.isStatic(e.getModifiers())
                ? null
                : argument(e.getDeclaringClass());
    }

    private Object argument(Class<?> type) {
        try {
            if (type == Message.class) {
                return s.message();
            } else if (type == Pending.class) {
                return s.pending();
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        if (type == int.class) {
            return 1;
        } else if (type == long.class) {
            return 64L;
        } else if (type == boolean.class) {
            return true;
        } else if (type == byte[].class) {
            return new byte[16];
        } else if (type == Access[].class) {
            return new Access[] {Access.LOCAL_WRITE};
        } else if (type.isEnum()) {
            return type.getEnumConstants()[0];
        }
        Object ofConnections = ofConnections(type);
        if (ofConnections != null) {
            return ofConnections;
        }
        return List.of(
                        s.context,
                        s.context.device(),
                        s.context.attributes(),
                        s.pd,
                        s.direct,
                        s.reset,
                        s.srq,
                        s.group,
                        GroupCompletions.allocate(4),
                        SrqAttributes.of(4),
                        s.mr,
                        s.mw1,
                        CqConfig.direct(4),
                        Set.of(),
                        new WcField[] {WcField.COMPLETION_TIMESTAMP},
                        MrChanges.of().withAccess(Access.LOCAL_WRITE),
                        s.ah,
                        s.channel,
                        s.send,
                        s.recv,
                        s.buffer.slice(0, 8),
                        s.pool,
                        s.requests,
                        RequestsConfig.of(),
                        RemoteRegion.of(s.mr).slice(0, 8),
                        (Description) wr -> wr.send(),
                        ByteBuffer.allocateDirect(64),
                        "soft0",
                        Duration.ZERO,
                        Gid.parse("ff0e::1"),
                        s.rc.b.endpoint(),
                        s.config(QpType.RC),
                        QpAttributes.builder(),
                        QpAttributes.builder().state(QpState.INIT).build(),
                        Fixture.addressOf(s.ud.b),
                        WorkCompletions.allocate(4),
                        (CompletionHandler) batch -> {},
                        (ChannelHandler) (cq, batch) -> {},
                        (Supplier<List<WaitStats>>) List::of,
                        Thread.ofVirtual().factory(),
                        s.serving,
                        Arena.global().allocate(64))
                .stream()
                .filter(type::isInstance)
                .findFirst()
                .orElseThrow(() -> new AssertionError("no sample of " + type));
    }

    private @Nullable Object ofConnections(Class<?> type) {
        try {
            if (type == ConnectionManager.class) {
                return s.connections.cm;
            } else if (type == ConnectionConfig.class) {
                return ConnectionConfig.defaults();
            } else if (type == InetSocketAddress.class) {
                return Connections.anyPort();
            } else if (type == RdmaListener.class) {
                return s.connections.listener();
            } else if (type == RdmaRoute.class) {
                return s.connections.route();
            } else if (type == ConnectRequest.class) {
                return s.connections.request();
            } else if (type == RdmaConnection.class) {
                return s.connections.connection();
            } else if (type == UdListener.class) {
                return s.connections.udListener();
            } else if (type == UdRoute.class) {
                return s.connections.udRoute();
            } else if (type == UdRequest.class) {
                return s.connections.udRequest();
            } else if (type == MulticastGroup.class) {
                return s.connections.group();
            } else if (type == UdPeer.class) {
                return s.connections.group().peer();
            }
            return null;
        } catch (Exception e) {
            throw new AssertionError("no sample of " + type, e);
        }
    }

    /** An object that can be closed now, and nothing but the test uses. */
    AutoCloseable closable(Class<?> type, String method) throws Exception {
        if (type == Context.class) {
            return s.f.own(s.context.device().open());
        } else if (type == CompletionChannel.class) {
            return s.f.channel();
        } else if (type == CompletionQueue.class) {
            return s.f.direct();
        } else if (type == ProtectionDomain.class) {
            return s.f.own(s.context.allocPd());
        } else if (type == QueuePair.class) {
            QpType qpType = method.contains("activate") ? QpType.UD : QpType.RC;
            return s.f.own(s.pd.createQp(s.config(qpType)));
        } else if (type == Serving.class) {
            return s.f.direct().serve(batch -> {});
        } else if (type == CqGroup.class) {
            return s.f.own(CqGroup.create());
        } else if (type == SharedReceiveQueue.class) {
            return s.f.own(s.pd.createSrq(SrqAttributes.of(4)));
        } else if (type == MemoryWindow.class) {
            return s.f.own(s.pd.allocMw(MwType.TYPE_1));
        } else if (type == MemoryRegion.class) {
            return s.f.mr(64);
        } else if (type == AddressHandle.class) {
            return s.f.own(s.pd.createAh(Fixture.addressOf(s.ud.b)));
        } else if (type == CqEvent.class) {
            CompletionQueue cq = s.f.direct();
            Fixture.Source source = s.f.source(cq);
            cq.reqNotify(false);
            source.complete(1);
            return cq.getCqEvent(Fixture.PATIENCE);
        } else if (type == AsyncEvent.class) {
            CompletionQueue cq = s.f.own(s.context.createDirectCq(1));
            Fixture.Source source = s.f.source(cq);
            for (int i = 0; i <= cq.cqe(); i++) {
                source.complete(i);
            }
            return s.context.getAsyncEvent(Fixture.PATIENCE);
        } else if (type == RdmaListener.class) {
            return s.f.own(s.connections.cm.listen(Connections.anyPort()));
        } else if (type == RdmaRoute.class) {
            return s.connections.newRoute();
        } else if (type == ConnectRequest.class) {
            return s.connections.newRequest();
        } else if (type == RdmaConnection.class) {
            return s.connections.newConnection();
        } else if (type == UdListener.class) {
            return s.f.own(s.connections.cm.listenUd(Connections.anyPort()));
        } else if (type == UdRoute.class) {
            return s.connections.newUdRoute();
        } else if (type == UdRequest.class) {
            return s.connections.newUdRequest();
        } else if (type == MulticastGroup.class) {
            return s.connections.newGroup();
        }
        return ofBlocking(type);
    }

    private AutoCloseable ofBlocking(Class<?> type) throws Exception {
        if (type == Buffer.class) {
            return s.pool.take();
        } else if (type == BufferPool.class) {
            return s.f.own(BufferPool.of(s.pd, 64, 4));
        } else if (type == Message.class) {
            return s.message();
        } else if (type == Requests.class) {
            return s.requests();
        }
        throw new AssertionError("no sample of " + type);
    }
}

package io.loomverbs;

import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.Ibv;

import org.jspecify.annotations.Nullable;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;

/** Takes a queue pair from RESET to RTS, and knows which local port and GID it uses. */
final class Connector {
    private static final Set<QpState> BEFORE_RTR = EnumSet.of(QpState.RESET, QpState.INIT);
    private static final Set<QpState> CONNECTED = EnumSet.of(QpState.RTS, QpState.SQD, QpState.SQE);

    private final QueuePair qp;

    /** The local port and GID; null until they are first set or needed. */
    private final AtomicReference<@Nullable LocalPort> local = new AtomicReference<>();

    Connector(QueuePair qp) {
        this.qp = qp;
    }

    LocalPort local() {
        LocalPort known = local.get();
        if (known != null) {
            return known;
        }
        LocalPort chosen = LocalPort.ofDefault(qp.pd().context(), 1);
        LocalPort earlier = local.compareAndExchange(null, chosen);
        return earlier == null ? chosen : earlier;
    }

    void init(QpAttributes granted, LocalPort from) {
        beginsIn("init", qp.state());
        qp.modify(Connecting.toInit(qp, from, granted));
        local.set(from);
    }

    void connect(QpEndpoint remote, QpAttributes other) {
        QpAttributes now = qp.query();
        beginsIn("connect", now.state());
        LocalPort from = from(now, other);
        List<QpAttributes> steps = Connecting.steps(qp, from, remote, other); // may refuse
        initialize(now.state(), from, other);
        steps.forEach(qp::modify);
    }

    void activate(int qkey) {
        QpAttributes now = qp.query();
        beginsIn("activate", now.state());
        QpAttributes key = QpAttributes.builder().qkey(qkey).build();
        initialize(now.state(), from(now, key), key);
        Connecting.steps(qp, qkey).forEach(qp::modify);
    }

    /** The local port and GID once it has left {@code now}. */
    private LocalPort from(QpAttributes now, QpAttributes other) {
        LocalPort from = local();
        int port = now.state() == QpState.INIT ? now.portNum() : from.number();
        if ((other.mask() & Ibv.QP_PORT) != 0) {
            port = other.portNum();
        }
        if (from.number() == port) {
            return from;
        }
        qp.pd().context().checkPort("portNum", port); // of modify, or of the other values
        return LocalPort.ofDefault(qp.pd().context(), port);
    }

    private void initialize(QpState state, LocalPort from, QpAttributes other) {
        QpAttributes init =
                state == QpState.RESET
                        ? Connecting.toInit(qp, from, other)
                        : Connecting.again(qp, other);
        if (init != null) {
            qp.modify(init);
        }
        local.set(from);
    }

    private void beginsIn(String method, QpState state) {
        if (!BEFORE_RTR.contains(state)) {
            throw new VerbsException(
                    QueuePair.MODIFY,
                    Errno.EINVAL,
                    qp
                            + " is in state "
                            + state
                            + ", but "
                            + method
                            + " begins in RESET or INIT"
                            + (isConnected(state) ? ", and it is connected already" : "")
                            + ": to begin anew, modify its state to RESET first");
        }
    }

    private boolean isConnected(QpState state) {
        return qp.type() != QpType.UD && CONNECTED.contains(state);
    }
}

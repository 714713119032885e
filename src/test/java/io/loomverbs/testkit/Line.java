package io.loomverbs.testkit;

import io.loomverbs.Access;
import io.loomverbs.AddressHandle;
import io.loomverbs.AsyncEvent;
import io.loomverbs.AsyncEventType;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.MemoryRegion;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpAttributes;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.RecvWorkRequest;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.Verbs;
import io.loomverbs.WcStatus;
import io.loomverbs.WorkCompletion;
import io.loomverbs.support.Fixture;

import java.util.List;

/** Two machines, each with a context of its own, and a line between them: one has the faults. */
final class Line implements AutoCloseable {
    static final int DEPTH = 64;

    /** Retries that are over soon: 3 of 1 ms, and one of 10 us for a receiver that is not ready. */
    static final QpAttributes IMPATIENT = impatient().build();

    final End left;
    final End right;
    final QpType type;
    final Faults faults;
    private final AddressHandle toRight;

    /** One of the two machines. */
    static final class End implements AutoCloseable {
        final Context context;
        final ProtectionDomain pd;
        final CompletionQueue sends;
        final CompletionQueue receives;
        final MemoryRegion memory;
        final QueuePair qp;

        End(String device, QpType type) {
            context = Verbs.device(device).open();
            pd = context.allocPd();
            sends = context.createDirectCq(2 * DEPTH);
            receives = context.createDirectCq(2 * DEPTH);
            memory = pd.allocateMr(4096, Fixture.anything());
            qp = pd.createQp(QpConfig.of(type, sends, receives).withWr(DEPTH, DEPTH));
        }

        /** The next asynchronous event, which must be of this type. */
        AsyncEventType event() throws InterruptedException {
            try (AsyncEvent event = context.getAsyncEvent(Fixture.PATIENCE)) {
                return event == null ? null : event.type();
            }
        }

        @Override
        public void close() {
            qp.close();
            memory.close();
            sends.close();
            receives.close();
            pd.close();
            context.close();
        }
    }

    Line(String device) {
        this(device, QpType.RC, IMPATIENT);
    }

    Line(String device, QpType type, QpAttributes attributes) {
        this.type = type;
        left = new End(device, type);
        right = new End(device, type);
        faults = Faults.of(left.context);
        if (type == QpType.UD) {
            left.qp.activate(Fixture.QKEY);
            right.qp.activate(Fixture.QKEY);
            toRight = left.pd.createAh(left.qp.addressOf(right.qp.endpoint()));
        } else {
            left.qp.connect(right.qp.endpoint(), attributes);
            right.qp.connect(left.qp.endpoint(), attributes);
            toRight = null;
        }
        for (int i = 0; i < DEPTH; i++) {
            receive();
        }
    }

    static QpAttributes.Builder impatient() {
        return QpAttributes.builder()
                .access(Access.REMOTE_WRITE, Access.REMOTE_READ)
                .timeout(8)
                .retryCnt(3)
                .rnrRetry(1)
                .minRnrTimer(1);
    }

    void receive() {
        right.qp.postRecv(RecvWorkRequest.allocate(1).sge(right.memory, 0, 512));
    }

    /** Sends messages from left to right, numbered from {@code first} on. */
    void send(long first, int count) {
        for (int i = 0; i < count; i++) {
            SendWorkRequest wr = SendWorkRequest.allocate(1, 0).wrId(first + i).send().signaled();
            if (toRight != null) {
                wr.to(toRight, right.qp.qpNum(), Fixture.QKEY);
            }
            left.qp.postSend(wr.sge(left.memory, 0, 64));
        }
    }

    /** How the next requests of the left end, in this order. */
    List<WcStatus> sent(int count) {
        return statuses(left.sends, count);
    }

    List<WcStatus> received(int count) {
        return statuses(right.receives, count);
    }

    static List<WcStatus> statuses(CompletionQueue cq, int count) {
        return Fixture.poll(cq, count).stream().map(WorkCompletion::status).toList();
    }

    @Override
    public void close() {
        if (toRight != null) {
            toRight.close();
        }
        left.close();
        right.close();
    }
}

package io.loomverbs.support;

import io.loomverbs.AddressHandle;
import io.loomverbs.AhAttributes;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.VerbsException;

import java.time.Duration;

/** A CQ with an event that no thread acknowledges. */
public final class HeldCq {
    private static final int QKEY = 1;

    private HeldCq() {}

    @SuppressWarnings("try") // the event is not closed
    public static CompletionQueue create(Context context) throws InterruptedException {
        CompletionQueue cq = context.createDirectCq(4);
        ProtectionDomain pd = context.allocPd();
        QueuePair qp = pd.createQp(QpConfig.of(QpType.UD, cq));
        qp.activate(QKEY);
        AddressHandle self = pd.createAh(AhAttributes.of(context.gid(1, 0), context.port(1).lid()));
        cq.reqNotify(false);
        qp.postSend(SendWorkRequest.allocate(1, 0).send().to(self, qp.qpNum(), QKEY).signaled());
        cq.getCqEvent();
        qp.close();
        return cq;
    }

    /** Whether a close gives up after {@code timeout}. */
    public static boolean timeOut(CompletionQueue held, Duration timeout) {
        try {
            held.close(timeout);
            return false;
        } catch (VerbsException e) {
            return e.errnoName().equals("ETIMEDOUT");
        }
    }
}

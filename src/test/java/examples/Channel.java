package examples;

import io.loomverbs.*;

import java.time.Duration;

/** The second example of the README, which is compared with this file. */
public final class Channel {
    private Channel() {}

    /** Receives the events of a CQ from a channel, in verbs' own words. */
    public static void main(String[] args) throws InterruptedException {
        try (Context context = Verbs.device("soft0").open();
                CompletionChannel channel = context.createCompChannel();
                ProtectionDomain pd = context.allocPd();
                MemoryRegion memory = pd.allocateMr(64, Access.LOCAL_WRITE);
                CompletionQueue cq = context.createCq(16, "my connection", channel, 0);
                QueuePair qp = pd.createQp(QpConfig.of(QpType.RC, cq))) {
            qp.init();
            qp.postRecv(RecvWorkRequest.allocate(1).wrId(1).sge(memory, 0, 32));
            qp.connect(qp.endpoint()); // to itself, to be short
            cq.reqNotify(false); // ibv_req_notify_cq
            qp.postSend(
                    SendWorkRequest.allocate(1, 0).wrId(2).send().sge(memory, 32, 32).signaled());

            WorkCompletions batch = WorkCompletions.allocate(16);
            int missing = 2; // a receive and a send
            while (missing > 0) {
                // ibv_get_cq_event: parks, never blocks a carrier
                try (CqEvent event = channel.getCqEvent(Duration.ofSeconds(5))) {
                    if (event == null) {
                        throw new IllegalStateException("no event in 5 s, " + missing + " missing");
                    }
                    event.cq().reqNotify(false); // arm, then poll: nothing is missed
                    while (event.cq().poll(batch) > 0) {
                        for (int i = 0; i < batch.size(); i++) {
                            System.out.println(
                                    event.cqContext()
                                            + ": "
                                            + batch.wrId(i)
                                            + " "
                                            + batch.status(i));
                            missing--;
                        }
                    }
                } // ibv_ack_cq_events
            }
        }
    }
}

package examples;

import io.loomverbs.*;
import io.loomverbs.cm.*;

import java.net.InetSocketAddress;
import java.time.Duration;

/** A server and a client that connect by address and port, as the guide shows it. */
public final class Connect {
    private Connect() {}

    public static void main(String[] args) throws Exception {
        try (Context context = Verbs.device("soft0").open();
                ProtectionDomain pd = context.allocPd();
                MemoryRegion memory = pd.allocateMr(128, Access.LOCAL_WRITE)) {
            ConnectionManager cm = ConnectionManager.of(context.device());

            try (RdmaListener listener = cm.listen(new InetSocketAddress("10.0.0.1", 7471))) {
                Thread server = Thread.startVirtualThread(() -> serve(listener, pd, memory));

                try (CompletionQueue cq = context.createDirectCq(16);
                        RdmaRoute route =
                                cm.resolve(listener.localAddress(), Duration.ofSeconds(2));
                        QueuePair qp = pd.createQp(QpConfig.of(QpType.RC, cq));
                        RdmaConnection connection = route.connect(qp, Duration.ofSeconds(5))) {
                    memory.memory().setString(0, "hello");
                    qp.postSend(
                            SendWorkRequest.allocate(1, 0).send().sge(memory, 0, 64).signaled());
                    cq.await(WorkCompletions.allocate(1)); // its status says whether it arrived
                    connection.awaitDisconnect();
                }
                server.join();
            }
        }
    }

    static void serve(RdmaListener listener, ProtectionDomain pd, MemoryRegion memory) {
        try (ConnectRequest request = listener.accept(); // parks
                CompletionQueue cq = pd.context().createDirectCq(16);
                QueuePair qp = pd.createQp(QpConfig.of(QpType.RC, cq))) {
            request.init(qp);
            qp.postRecv(RecvWorkRequest.allocate(1).sge(memory, 64, 64)); // before the client sends
            try (RdmaConnection connection = request.accept(qp)) {
                cq.await(WorkCompletions.allocate(1));
                System.out.println(
                        memory.memory().getString(64) + " to " + connection.localAddress());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}

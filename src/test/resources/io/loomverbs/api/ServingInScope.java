import io.loomverbs.AddressHandle;
import io.loomverbs.AhAttributes;
import io.loomverbs.CompletionHandler;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.FailurePolicy;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.Serving;
import io.loomverbs.Verbs;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.StructuredTaskScope;
import java.util.concurrent.StructuredTaskScope.FailedException;

/** Serves inside scopes, which need preview features: launched from its source. */
final class ServingInScope {
    private static final int QKEY = 1;

    private final CompletionQueue cq;
    private final QueuePair qp;
    private final AddressHandle self;

    private ServingInScope(CompletionQueue cq, QueuePair qp, AddressHandle self) {
        this.cq = cq;
        this.qp = qp;
        this.self = self;
    }

    public static void main(String[] args) throws Exception {
        try (Context context = Verbs.device("soft0").open();
                ProtectionDomain pd = context.allocPd();
                AddressHandle self = pd.createAh(AhAttributes.of(context.gid(1, 0), 0));
                CompletionQueue cq = context.createDirectCq(16);
                QueuePair qp = pd.createQp(QpConfig.of(QpType.UD, cq))) {
            qp.activate(QKEY);
            ServingInScope scopes = new ServingInScope(cq, qp, self);
            System.out.println("stopped: " + scopes.stopped());
            System.out.println("failed: " + scopes.failed());
            System.out.println("cancelled: " + scopes.cancelled());
            System.out.println("unacknowledged: " + cq.unackedEvents());
        }
    }

    private void post() {
        qp.postSend(SendWorkRequest.allocate(1, 0).send().to(self, qp.qpNum(), QKEY).signaled());
    }

    /** One task serves, another posts, and the scope ends when serving has been stopped. */
    private String stopped() throws InterruptedException {
        CountDownLatch handled = new CountDownLatch(3);
        Serving serving = Serving.of(cq, counting(handled), FailurePolicy.STOP);
        try (var scope = StructuredTaskScope.open()) {
            scope.fork(serving);
            scope.fork(
                    () -> {
                        for (int i = 0; i < 3; i++) {
                            post();
                        }
                        handled.await();
                        serving.close();
                        return null;
                    });
            scope.join();
        }
        return handled.getCount() + " left, threads " + serving.threads();
    }

    /** What the handler throws fails the scope. */
    private String failed() throws InterruptedException {
        CompletionHandler throwing =
                batch -> {
                    throw new IllegalStateException("on purpose");
                };
        try (var scope = StructuredTaskScope.open()) {
            scope.fork(Serving.of(cq, throwing, FailurePolicy.STOP));
            post();
            scope.join();
            return "no";
        } catch (FailedException e) {
            return e.getCause().getMessage();
        }
    }

    /** A task that fails cancels the scope, which ends serving. */
    private String cancelled() throws InterruptedException {
        CountDownLatch handled = new CountDownLatch(1);
        Serving serving = Serving.of(cq, counting(handled), FailurePolicy.STOP);
        try (var scope = StructuredTaskScope.open()) {
            scope.fork(serving);
            scope.fork(
                    () -> {
                        post();
                        handled.await();
                        throw new IllegalStateException("a sibling");
                    });
            scope.join();
            return "no";
        } catch (FailedException e) {
            return e.getCause().getMessage() + ", threads " + serving.threads();
        }
    }

    private static CompletionHandler counting(CountDownLatch handled) {
        return batch -> {
            for (int i = 0; i < batch.size(); i++) {
                handled.countDown();
            }
        };
    }
}

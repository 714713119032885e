package io.loomverbs.schedule;

import static io.loomverbs.schedule.Schedule.check;

import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.Opened;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpAttributes;
import io.loomverbs.QpConfig;
import io.loomverbs.QpState;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.blocking.Buffer;
import io.loomverbs.blocking.BufferPool;
import io.loomverbs.blocking.Message;
import io.loomverbs.blocking.RequestFailedException;
import io.loomverbs.blocking.Requests;
import io.loomverbs.blocking.RequestsConfig;
import io.loomverbs.internal.soft.FreshDevice;

import java.time.Duration;

/**
 * Threads receive messages over a queue pair, which fails. None is told of the failure while a
 * message is left.
 */
final class ReceivesScenario implements Scenario {
    private static final int MOST = 4;
    private static final int BYTES = 8;

    @Override
    public void play(Schedule schedule) {
        new Play(schedule).run();
    }

    private static final class Play {
        private final Schedule schedule;
        private final Context context = Opened.open(FreshDevice.create());
        private final ProtectionDomain pd = context.allocPd();
        private final CompletionQueue cq = context.createDirectCq(2 * MOST);
        private final QueuePair qp;
        private final BufferPool pool;
        private final Requests requests;
        private final int receives;
        private int told;

        Play(Schedule schedule) {
            this.schedule = schedule;
            receives = schedule.between(1, 2);
            qp = pd.createQp(QpConfig.of(QpType.RC, cq).withWr(MOST, MOST));
            qp.init();
            pool = BufferPool.of(pd, BYTES, receives + 1);
            requests =
                    Requests.over(
                            qp, RequestsConfig.of().withSends(1).withReceives(receives, pool));
            qp.connect(qp.endpoint());
        }

        void run() {
            int receivers = schedule.between(1, 2);
            for (int n = receivers; n > 0; n--) {
                schedule.thread("receiver " + n, this::receiveAll);
            }
            schedule.thread("sender", this::send);
            schedule.thread("breaker", this::fail);
            schedule.run();
            check(told == receivers, "a receiver was not told of the failure");
            requests.close();
            check(pool.available() == receives + 1, "a buffer has not come back");
            qp.close();
            cq.close();
            pool.close();
            pd.close();
            context.close();
        }

        private void send() throws InterruptedException {
            try (Buffer message = pool.take()) {
                for (int n = schedule.between(1, 2); n > 0; n--) {
                    requests.send(message);
                }
            } catch (RequestFailedException e) {
                // The queue pair has failed.
            }
        }

        private void receiveAll() throws InterruptedException {
            try {
                while (true) {
                    requests.receive().close();
                }
            } catch (RequestFailedException e) {
                told++;
            }
            try (Message left = requests.receive(Duration.ZERO)) {
                check(left == null, "told of the failure, and a message is left");
            } catch (RequestFailedException e) {
                // As it must be.
            }
        }

        private void fail() {
            qp.modify(QpAttributes.builder().state(QpState.ERR).build());
        }
    }
}

package io.loomverbs.schedule;

import static io.loomverbs.schedule.Schedule.check;

import io.loomverbs.Access;
import io.loomverbs.ClosedException;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.MemoryRegion;
import io.loomverbs.Opened;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpAttributes;
import io.loomverbs.QpConfig;
import io.loomverbs.QpState;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.RecvWorkRequest;
import io.loomverbs.WcStatus;
import io.loomverbs.WorkCompletions;
import io.loomverbs.blocking.Buffer;
import io.loomverbs.blocking.BufferPool;
import io.loomverbs.blocking.Pending;
import io.loomverbs.blocking.RequestFailedException;
import io.loomverbs.blocking.RequestInterruptedException;
import io.loomverbs.blocking.Requests;
import io.loomverbs.blocking.RequestsConfig;
import io.loomverbs.internal.soft.FreshDevice;

import java.util.ArrayList;
import java.util.List;

/**
 * Threads send over one queue pair, with few places, while another thread lets their sends be done.
 * Some give up, some are interrupted; in some schedules the queue pair fails, or the requests are
 * closed. Each send ends as its thread was told, and each buffer comes back once it is done.
 */
final class RequestsScenario implements Scenario {
    private static final int MOST = 4;
    private static final int BYTES = 8;

    /** What ends the requests. */
    private enum End {
        ALL_DONE,
        CLOSE,
        FAILURE
    }

    @Override
    public void play(Schedule schedule) {
        new Play(schedule).run();
    }

    private static final class Play {
        private final Schedule schedule;
        private final Context context = Opened.open(FreshDevice.create());
        private final ProtectionDomain pd = context.allocPd();
        private final MemoryRegion sink = pd.allocateMr(BYTES, Access.LOCAL_WRITE);
        private final CompletionQueue cq = context.createDirectCq(MOST);
        private final CompletionQueue received = context.createCq(MOST, null, null, 0);
        private final QueuePair qp;
        private final Requests requests;
        private final BufferPool pool;
        private final End end;
        private final int senders;
        private int left;
        private int sent;
        private int unsent;

        @SuppressWarnings("EnumOrdinal") // any of them
        Play(Schedule schedule) {
            this.schedule = schedule;
            end = End.values()[schedule.between(0, End.values().length - 1)];
            senders = schedule.between(1, 3);
            int places = schedule.between(1, 2);
            qp = pd.createQp(QpConfig.of(QpType.RC, cq, received).withWr(places, MOST));
            qp.connect(qp.endpoint());
            requests = Requests.over(qp, RequestsConfig.of());
            pool = BufferPool.of(pd, BYTES, senders);
        }

        void run() {
            List<Thread> impatient = new ArrayList<>();
            left = senders;
            for (int n = senders; n > 0; n--) {
                boolean patient = schedule.oneIn(2);
                Thread sender = schedule.thread("sender " + n, () -> send(patient));
                if (!patient) {
                    impatient.add(sender);
                }
            }
            schedule.thread("receiver", this::receiveAll);
            if (!impatient.isEmpty() && schedule.oneIn(2)) {
                schedule.thread("interrupter", () -> impatient.forEach(Thread::interrupt));
            }
            switch (end) {
                case ALL_DONE -> {}
                case CLOSE -> schedule.thread("closer", requests::close);
                case FAILURE -> schedule.thread("breaker", this::fail);
            }
            schedule.run();
            checkArrivals();
            check(pool.available() == senders, "a buffer has not come back");
            qp.close();
            cq.close();
            received.close();
            pool.close();
            sink.close();
            pd.close();
            context.close();
        }

        /** What arrived is what was sent, and perhaps what a thread has given up. */
        private void checkArrivals() {
            WorkCompletions batch = WorkCompletions.allocate(MOST);
            received.poll(batch);
            int arrived = 0;
            for (int i = 0; i < batch.size(); i++) {
                arrived += batch.status(i) == WcStatus.SUCCESS ? 1 : 0;
            }
            check(arrived >= sent, arrived + " arrived of " + sent);
            check(arrived <= senders - unsent, arrived + " arrived, " + unsent + " were not sent");
        }

        private void send(boolean patient) {
            try (Buffer message = pool.take()) {
                check(message.memory().byteSize() == BYTES, "a wrong buffer");
                if (patient || schedule.oneIn(2)) {
                    requests.send(message);
                    sent++;
                } else {
                    giveUp(requests.startSend(message));
                }
            } catch (RequestInterruptedException e) {
                check(!patient, "interrupted by no thread");
            } catch (InterruptedException e) {
                check(!patient, "interrupted by no thread");
                unsent++;
            } catch (RequestFailedException | ClosedException e) {
                check(end != End.ALL_DONE, "nothing has failed: " + e);
            }
            if (--left == 0) {
                requests.close();
            }
        }

        /** Waits for a request that was posted, for a while. */
        private void giveUp(Pending posted) {
            try {
                sent += posted.await(schedule.timeout()) ? 1 : 0;
            } catch (InterruptedException e) {
                // The request goes on.
            }
        }

        /** Lets every send be done. */
        private void receiveAll() {
            for (int i = 0; i < senders; i++) {
                qp.postRecv(RecvWorkRequest.allocate(1).wrId(i).sge(sink, 0, BYTES));
            }
        }

        private void fail() {
            qp.modify(QpAttributes.builder().state(QpState.ERR).build());
        }
    }
}

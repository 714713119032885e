package io.loomverbs.blocking;

import static org.openjdk.jcstress.annotations.Expect.*;

import io.loomverbs.internal.event.OnVirtualThread;
import io.loomverbs.internal.event.Patience;
import io.loomverbs.internal.event.Taking;
import io.loomverbs.internal.event.TimedWait;
import io.loomverbs.jcstress.Catches;

import org.openjdk.jcstress.annotations.*;
import org.openjdk.jcstress.infra.results.LL_Result;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;

/** Requests of several threads that are done, given up, interrupted, or fail. */
public class RequestRaces {
    private static final int SPREAD = 60_000;

    /**
     * Two threads wait for a request each, and one of them polls for both. If there is one place,
     * the second request is posted when the first is done. Or the queue pair fails instead.
     */
    @JCStressTest
    @Outcome(id = "done: sent, sent, in time", expect = ACCEPTABLE, desc = "both were woken")
    @Outcome(id = "failed: failed, failed, in time", expect = ACCEPTABLE, desc = "both were told")
    @Outcome(id = ".*stuck.*", expect = FORBIDDEN, desc = "a thread was not woken")
    @Catches(value = "a leader that resigns wakes no thread", as = ".*stuck.*")
    @Catches(value = "a follower finds no missing leader", as = ".*stuck.*")
    @Catches(value = "a signal to the poster is lost", as = ".*stuck.*")
    @Catches(value = "a place that becomes free posts nothing", as = ".*stuck.*")
    @Catches(value = "a leader does not see what another thread does", as = ".*stuck.*")
    @State
    public static class TwoSend extends TimedWait {
        private final boolean fails = ThreadLocalRandom.current().nextBoolean();
        private final SelfLink link =
                new SelfLink(fails || ThreadLocalRandom.current().nextBoolean() ? 1 : 4);

        private String sendTwo() {
            OnVirtualThread<String> first = OnVirtualThread.start(link::send);
            OnVirtualThread<String> second = OnVirtualThread.start(link::send);
            return first.join() + ", " + second.join();
        }

        @Actor
        public void send(LL_Result r) {
            r.r1 = (fails ? "failed: " : "done: ") + waits(this::sendTwo);
        }

        @Actor
        public void completeOrFail() {
            Taking.pauseUpTo(SPREAD);
            wakes(fails ? link::fail : link::receiveOne);
            Taking.pauseUpTo(SPREAD);
            wakes(fails ? () -> {} : link::receiveOne);
        }

        @Arbiter
        public void result(LL_Result r) {
            r.r2 = inTime();
            link.close();
        }
    }

    /** A thread that waits for one request, and the buffer of it. */
    abstract static class One {
        final SelfLink link = new SelfLink(4);
        final BufferPool pool = SelfLink.pool(1);

        final void receive() {
            Taking.pauseUpTo(SPREAD);
            link.receiveOne();
        }

        /** Whether the buffer comes back. */
        final boolean isBack() {
            long end = System.nanoTime() + Patience.nanos();
            while (pool.available() == 0 && System.nanoTime() < end) {
                LockSupport.parkNanos(10_000);
            }
            return pool.available() > 0;
        }

        final void close() {
            link.close();
            if (isBack()) {
                pool.close();
            }
        }
    }

    /** A thread gives up a request, and its buffer, while the request is done. */
    @JCStressTest
    @Outcome(id = "done, back", expect = ACCEPTABLE, desc = "it was done in time")
    @Outcome(id = "timed out, back", expect = ACCEPTABLE, desc = "the buffer came back later")
    @Outcome(id = ".*, none", expect = FORBIDDEN, desc = "the buffer did not come back")
    @Outcome(id = ".*, used", expect = FORBIDDEN, desc = "it came back before the request was done")
    @Catches(value = "a buffer is given back under a request", as = ".*, used")
    @Catches(value = "a buffer that was closed early stays away", as = ".*, none")
    @State
    public static class CompleteTimeout extends One {
        private volatile boolean posted;
        private boolean early;

        @Actor
        public void await(LL_Result r) {
            r.r1 = OnVirtualThread.call(this::sendAndGiveUp);
        }

        private String sendAndGiveUp() {
            Duration limit = Duration.ofNanos(ThreadLocalRandom.current().nextInt(SPREAD));
            String outcome;
            try (Buffer b = pool.take()) {
                outcome = link.requests.startSend(b).await(limit) ? "done" : "timed out";
            } catch (InterruptedException e) {
                outcome = "interrupted";
            }
            early = !posted && pool.available() == 1;
            return outcome;
        }

        @Actor
        public void complete() {
            Taking.pauseUpTo(SPREAD);
            posted = true;
            link.receiveOne();
        }

        @Arbiter
        public void result(LL_Result r) {
            r.r2 = early ? "used" : isBack() ? "back" : "none";
            close();
        }
    }

    /** A thread is interrupted while its request is done. */
    @JCStressTest
    @Outcome(id = "sent, 1", expect = ACCEPTABLE, desc = "it was done in time")
    @Outcome(id = "under way, 1", expect = ACCEPTABLE, desc = "the request went on")
    @Outcome(id = "not posted, 0", expect = ACCEPTABLE, desc = "the interrupt came first")
    @Outcome(id = "not posted, 1", expect = FORBIDDEN, desc = "it was sent all the same")
    @Catches(value = "a posted request is taken back", as = "not posted, 1")
    @State
    public static class CompleteInterrupt extends One {
        private final OnVirtualThread<String> sender = OnVirtualThread.start(this::send);

        private String send() {
            try (Buffer b = pool.take()) {
                link.requests.send(b);
                return "sent";
            } catch (RequestInterruptedException e) {
                return "under way";
            } catch (InterruptedException e) {
                return "not posted";
            } catch (RequestTimeoutException e) {
                return "stuck";
            }
        }

        @Actor
        public void interrupt(LL_Result r) {
            Taking.pauseUpTo(SPREAD);
            sender.interrupt();
            r.r1 = sender.join();
        }

        @Actor
        public void complete() {
            receive();
        }

        @Arbiter
        public void result(LL_Result r) {
            r.r2 = link.received("not posted".equals(r.r1) ? 0 : 1);
            close();
        }
    }
}

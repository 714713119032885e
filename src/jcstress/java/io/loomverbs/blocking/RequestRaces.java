package io.loomverbs.blocking;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.loomverbs.internal.event.OnVirtualThread;
import io.loomverbs.internal.event.Patience;
import io.loomverbs.internal.event.Taking;
import io.loomverbs.jcstress.Catches;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.LLL_Result;
import org.openjdk.jcstress.infra.results.LL_Result;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;

/** Requests of several threads that are done, given up, interrupted, or fail. */
public class RequestRaces {
    private static final int SPREAD = 60_000;

    private static String late(long begun, long done, long taken) {
        return Patience.late(begun, done, taken) ? "late" : "in time";
    }

    /** Two threads wait for a request each; one of them polls for both. */
    @JCStressTest
    @Outcome(id = "sent, sent, in time", expect = ACCEPTABLE, desc = "both were woken")
    @Outcome(id = ".*stuck.*|.*late", expect = FORBIDDEN, desc = "a thread was not woken")
    @Catches(value = "a leader that resigns wakes no thread", as = ".*stuck.*|.*late")
    @Catches(value = "a follower finds no missing leader", as = ".*stuck.*|.*late")
    @Catches(value = "a signal to the poster is lost", as = ".*stuck.*|.*late")
    @State
    public static class TwoSend {
        private final SelfLink link = new SelfLink(4);
        private long begun;
        private long done;
        private long taken;

        @Actor
        public void send(LLL_Result r) {
            begun = System.nanoTime();
            OnVirtualThread<String> first = OnVirtualThread.start(link::send);
            OnVirtualThread<String> second = OnVirtualThread.start(link::send);
            r.r1 = first.join();
            r.r2 = second.join();
            taken = System.nanoTime();
        }

        @Actor
        public void complete() {
            Taking.pauseUpTo(SPREAD);
            link.receiveOne();
            Taking.pauseUpTo(SPREAD);
            link.receiveOne();
            done = System.nanoTime();
        }

        @Arbiter
        public void result(LLL_Result r) {
            r.r3 = late(begun, done, taken);
            link.close();
        }
    }

    /** Two threads share one place: the second is posted when the first is done. */
    @JCStressTest
    @Outcome(id = "sent, sent, in time", expect = ACCEPTABLE, desc = "one after the other")
    @Outcome(id = ".*stuck.*|.*late", expect = FORBIDDEN, desc = "the second was not posted")
    @Catches(value = "a place that becomes free posts nothing", as = ".*stuck.*|.*late")
    @State
    public static class OnePlace {
        private final SelfLink link = new SelfLink(1);
        private long begun;
        private long done;
        private long taken;

        @Actor
        public void send(LLL_Result r) {
            begun = System.nanoTime();
            OnVirtualThread<String> first = OnVirtualThread.start(link::send);
            OnVirtualThread<String> second = OnVirtualThread.start(link::send);
            r.r1 = first.join();
            r.r2 = second.join();
            taken = System.nanoTime();
        }

        @Actor
        public void complete() {
            link.receiveOne();
            Taking.pauseUpTo(SPREAD);
            link.receiveOne();
            done = System.nanoTime();
        }

        @Arbiter
        public void result(LLL_Result r) {
            r.r3 = late(begun, done, taken);
            link.close();
        }
    }

    /** A queue pair fails while two threads share its one place. */
    @JCStressTest
    @Outcome(id = "failed, failed, in time", expect = ACCEPTABLE, desc = "both were told")
    @Outcome(id = ".*stuck.*|.*late", expect = FORBIDDEN, desc = "a thread was not told")
    @Outcome(id = ".*sent.*", expect = FORBIDDEN, desc = "there was no receive")
    @Catches(value = "a leader does not see what another thread does", as = ".*stuck.*|.*late")
    @State
    public static class SendFail {
        private final SelfLink link = new SelfLink(1);
        private long begun;
        private long done;
        private long taken;

        @Actor
        public void send(LLL_Result r) {
            begun = System.nanoTime();
            OnVirtualThread<String> first = OnVirtualThread.start(link::send);
            OnVirtualThread<String> second = OnVirtualThread.start(link::send);
            r.r1 = first.join();
            r.r2 = second.join();
            taken = System.nanoTime();
        }

        @Actor
        public void fail() {
            Taking.pauseUpTo(SPREAD);
            link.fail();
            done = System.nanoTime();
        }

        @Arbiter
        public void result(LLL_Result r) {
            r.r3 = late(begun, done, taken);
            link.close();
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
    public static class CompleteTimeout {
        private final SelfLink link = new SelfLink(4);
        private final BufferPool pool = SelfLink.pool(1);
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
            r.r2 = early ? "used" : isBack(pool) ? "back" : "none";
            link.close();
            if (r.r2.equals("back")) {
                pool.close();
            }
        }
    }

    private static boolean isBack(BufferPool pool) {
        long end = System.nanoTime() + Patience.nanos();
        while (pool.available() == 0) {
            if (System.nanoTime() > end) {
                return false;
            }
            LockSupport.parkNanos(10_000);
        }
        return true;
    }

    /** A thread is interrupted while its request is done. */
    @JCStressTest
    @Outcome(id = "sent, 1", expect = ACCEPTABLE, desc = "it was done in time")
    @Outcome(id = "under way, 1", expect = ACCEPTABLE, desc = "the request went on")
    @Outcome(id = "not posted, 0", expect = ACCEPTABLE, desc = "the interrupt came first")
    @Outcome(id = "not posted, 1", expect = FORBIDDEN, desc = "it was sent all the same")
    @Outcome(id = "stuck, .*", expect = FORBIDDEN, desc = "the thread was not woken")
    @Catches(value = "a posted request is taken back", as = "not posted, 1")
    @State
    public static class CompleteInterrupt {
        private final SelfLink link = new SelfLink(4);
        private final BufferPool pool = SelfLink.pool(1);
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
            Taking.pauseUpTo(SPREAD);
            link.receiveOne();
        }

        @Arbiter
        public void result(LL_Result r) {
            r.r2 = link.received("not posted".equals(r.r1) ? 0 : 1);
            link.close();
            if (isBack(pool)) {
                pool.close();
            }
        }
    }
}

package io.loomverbs;

import io.loomverbs.internal.event.HelperThreads;

import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/**
 * Reports tracked objects that the program has dropped without closing them. A thread does so while
 * there are tracked objects; it ends within a second after the last.
 */
final class LeakWatch {
    /*
     * A thread that opens an object adds its ticket, then looks whether there is a watch. A watch
     * that ends says so, then looks for tickets. One of the two sees the other.
     */
    static final ReferenceQueue<Object> DROPPED = new ReferenceQueue<>();
    static final LeakWatch SHARED = new LeakWatch(LeakWatch::start);

    private final Set<OpenTicket> open = ConcurrentHashMap.newKeySet();
    private final Consumer<LeakWatch> starter;
    private final ReentrantLock lock = new ReentrantLock();

    /** Whether a thread watches. Written under the lock. */
    private volatile boolean on;

    LeakWatch(Consumer<LeakWatch> starter) {
        this.starter = starter;
    }

    private static void start(LeakWatch watch) {
        HelperThreads.unstarted("loomverbs-leaks", watch::watch).start();
    }

    /** An object is open from now on. */
    void opened(OpenTicket ticket) {
        open.add(ticket);
        if (!on) {
            begin();
        }
    }

    private void begin() {
        lock.lock();
        try {
            if (!on) {
                on = true; // first: the watch may end at once
                boolean started = false;
                try {
                    starter.accept(this);
                    started = true;
                } finally {
                    if (!started) {
                        on = false;
                    }
                }
            }
        } catch (OutOfMemoryError e) {
            // Nothing is reported until the next object is opened.
        } finally {
            lock.unlock();
        }
    }

    /** An object was closed. */
    void closed(OpenTicket ticket) {
        open.remove(ticket);
        ticket.clear();
    }

    /** Ends the watch unless an object is open. */
    boolean tryEnd() {
        lock.lock();
        try {
            on = false;
            on = !open.isEmpty();
            return !on;
        } finally {
            lock.unlock();
        }
    }

    /** Whether a thread watches. */
    boolean isOn() {
        return on;
    }

    void watch() {
        boolean ended = false;
        try {
            HeldWatch held = new HeldWatch();
            do {
                Reference<?> dropped = DROPPED.remove(held.untilNextLook());
                while (dropped != null) {
                    dropped((OpenTicket) dropped);
                    dropped = DROPPED.poll();
                }
                held.look();
                ended = tryEnd();
            } while (!ended);
        } catch (InterruptedException | VirtualMachineError e) {
            // No memory: the next tracked object that is opened starts another watch.
        } finally {
            if (!ended) {
                on = false;
            }
        }
    }

    private void dropped(OpenTicket ticket) {
        if (open.remove(ticket)) {
            LeakDetection.report(
                    ticket
                            + " was dropped and never closed, so the device keeps it: "
                            + ticket.origin());
        }
    }
}

package io.loomverbs.internal.event;

import com.google.errorprone.annotations.concurrent.GuardedBy;

import org.jspecify.annotations.Nullable;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Holds asynchronous events until they are received. They are rare, so each change wakes all
 * waiters to look again.
 *
 * <p>An event of the same type for the same object as a waiting one is counted in that one, which
 * then moves to the end. So the open objects bound the number of waiting events, and the latest of
 * several events about one object comes last.
 */
public final class AsyncQueue extends LedQueue {
    /** Given to a waiter that must look again. */
    private static final Object CHANGED = new Object();

    /**
     * A raised event.
     *
     * @param owner the object it belongs to, or null for one of the device or a port
     * @param ledger the ledger of that object, in which it counts once it is received
     * @param count how many events of this type were raised for this object or port and not
     *     received before
     */
    public record Raised(
            int type, int port, @Nullable Object owner, @Nullable Ledger ledger, int count) {
        public Raised(int type, int port, @Nullable Object owner, @Nullable Ledger ledger) {
            this(type, port, owner, ledger, 1);
        }

        private Key key() {
            return new Key(type, port, owner);
        }

        private Raised after(@Nullable Raised earlier) {
            if (earlier == null) {
                return this;
            }
            long sum = (long) earlier.count + count;
            return new Raised(type, port, owner, ledger, (int) Math.min(sum, Integer.MAX_VALUE));
        }
    }

    private record Key(int type, int port, @Nullable Object owner) {}

    private final ReentrantLock lock = new ReentrantLock();

    @GuardedBy("lock")
    private final LinkedHashMap<Key, Raised> raised = new LinkedHashMap<>();

    /** The keys of the waiting events, by the object that they belong to. */
    @GuardedBy("lock")
    private final Map<Object, List<Key>> byOwner = new HashMap<>();

    /** The waiters that have not been told to look again. */
    @GuardedBy("lock")
    private final ArrayDeque<Waiter> waiters = new ArrayDeque<>();

    @GuardedBy("lock")
    private @Nullable QueueEnd end;

    /**
     * Sets where events have to be fetched. To be called before any thread waits.
     *
     * @param newFeed the feed; null if the device raises them itself
     */
    public void fetchedFrom(@Nullable EventFeed newFeed) {
        comesFrom(newFeed);
    }

    public void raise(Raised event) {
        lock.lock();
        try {
            Ledger ledger = event.ledger();
            if (end == null && (ledger == null || !ledger.isClosed())) {
                try {
                    add(event);
                } finally { // an Error may come when it is there
                    wakeAll();
                }
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * Receives the next event, waiting for at most {@code nanos}; null if none came. Events of an
     * object that is being destroyed stay until that has succeeded or failed.
     *
     * @throws EventQueueEndedException if the queue was closed or has failed
     */
    public @Nullable Raised take(long nanos) throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        if (nanos <= 0) {
            return tryTake();
        }
        if (feed != null) {
            feed.join();
        }
        try {
            long start = System.nanoTime();
            for (; ; ) {
                long left = nanos - (System.nanoTime() - start);
                Waiter waiter = new Waiter(leadership);
                Raised event = deliverOrJoin(left > 0 ? waiter : null);
                if (event != null || left <= 0) {
                    return event;
                }
                await(waiter, left);
            }
        } finally {
            if (feed != null) {
                feed.leave();
            }
        }
    }

    /** Fetches an event, if there is one. Never waits. */
    public void fetch() {
        EventFeed from = feed;
        if (from != null) {
            boolean _ = from.fetch();
        }
    }

    private @Nullable Raised tryTake() {
        Raised event = deliverOrJoin(null);
        EventFeed more = feed;
        for (int n = 0; more != null && event == null && n < MOST_FETCHED; n++) {
            more = more.fetch() ? more : null;
            event = deliverOrJoin(null);
        }
        return event;
    }

    private @Nullable Raised deliverOrJoin(@Nullable Waiter waiter) {
        lock.lock();
        try {
            Raised event = deliver();
            if (event == null && end != null) {
                throw end.exception();
            }
            if (event == null && waiter != null) {
                waiters.add(waiter);
            }
            return event;
        } finally {
            lock.unlock();
        }
    }

    /** Waits until the waiter must look again, or its time is up. */
    private void await(Waiter waiter, long nanos) throws InterruptedException {
        long start = System.nanoTime();
        try {
            while (waiter.given == null) {
                long left = nanos - (System.nanoTime() - start);
                if (Thread.interrupted()) {
                    throw new InterruptedException();
                }
                if (left <= 0) {
                    return;
                }
                if (leadership == null || !leadership.lead(waiter, this, left)) {
                    LockSupport.parkNanos(blocker, left);
                }
            }
        } finally {
            leave(waiter);
        }
    }

    private void leave(Waiter waiter) {
        try {
            lock.lock();
            try {
                waiters.remove(waiter);
            } finally {
                lock.unlock();
            }
        } finally { // whatever happens, another thread has to lead
            if (leadership != null) {
                leadership.left(waiter);
            }
        }
    }

    @Override
    public List<Waiting> waiting() {
        List<Waiting> all = new ArrayList<>();
        lock.lock();
        try {
            waiters.forEach(w -> w.addTo(all));
        } finally {
            lock.unlock();
        }
        return all;
    }

    /**
     * Called when the close of an object has failed, or its count is no longer full: its events can
     * be received again.
     */
    public void recheck() {
        lock.lock();
        try {
            wakeAll();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Drops the events of a destroyed {@code owner} that were not received. Allocates nothing: it
     * must not fail.
     */
    public void drop(Object owner) {
        lock.lock();
        try {
            List<Key> keys = byOwner.remove(owner);
            if (keys != null) {
                for (int i = 0; i < keys.size(); i++) { // no iterator
                    raised.remove(keys.get(i));
                }
            }
        } finally {
            lock.unlock();
        }
    }

    /** No more events come, since the queue is closed. */
    public void end() {
        end(null);
    }

    /**
     * No more events come: wakes every waiter, now and later. The first call counts.
     *
     * @param cause null if the queue was closed, and unreceived events are dropped; else why it
     *     failed
     */
    @Override
    public void end(@Nullable Throwable cause) {
        lock.lock();
        try {
            if (end == null) {
                end = QueueEnd.of(cause);
            }
            if (cause == null) {
                raised.clear();
                byOwner.clear();
            }
            wakeAll();
        } finally {
            lock.unlock();
        }
        goesFrom();
    }

    @Override
    void promote(Leadership leaderless) {
        lock.lock();
        try {
            Waiter first = waiters.peek();
            if (first != null) {
                leaderless.enlist(this); // before: see there
                if (leaderless.appoint(first)) {
                    LockSupport.unpark(first.thread);
                }
            }
        } finally {
            lock.unlock();
        }
    }

    /** Under the lock, which they take next: this is rare, and there are few of them. */
    @GuardedBy("lock")
    private void wakeAll() {
        Error met = null;
        for (Waiter waiter = waiters.poll(); waiter != null; waiter = waiters.poll()) {
            waiter.given = CHANGED;
            try {
                waiter.wake();
            } catch (Error e) { // the others must not wait in vain
                met = e;
            }
        }
        if (met != null) {
            throw met;
        }
    }

    @GuardedBy("lock")
    private void add(Raised event) {
        Key key = event.key();
        Raised earlier = raised.get(key);
        // Not removed first: if there is no memory for this one, the earlier ones stay.
        raised.putLast(key, event.after(earlier));
        Object owner = event.owner();
        if (earlier == null && owner != null) {
            boolean known = false;
            try {
                byOwner.computeIfAbsent(owner, first -> new ArrayList<>(1)).add(key);
                known = true;
            } finally {
                if (!known) {
                    raised.remove(key); // it could not be dropped with its owner
                }
            }
        }
    }

    /** Steps that may end with an Error come before the event is counted: then it stays. */
    @GuardedBy("lock")
    private @Nullable Raised deliver() {
        Iterator<Map.Entry<Key, Raised>> all = raised.entrySet().iterator();
        while (all.hasNext()) {
            Map.Entry<Key, Raised> entry = all.next();
            Raised event = entry.getValue();
            Object owner = event.owner();
            List<Key> keys = owner == null ? null : byOwner.get(owner);
            Ledger ledger = event.ledger();
            if (ledger == null || ledger.tryDeliverAsync()) {
                all.remove();
                if (owner != null && keys != null) {
                    forget(entry.getKey(), keys, owner);
                }
                return event;
            }
        }
        return null;
    }

    @GuardedBy("lock")
    private void forget(Key key, List<Key> keys, Object owner) {
        try {
            keys.remove(key);
            if (keys.isEmpty()) {
                byOwner.remove(owner);
            }
        } catch (Error e) {
            // It goes when its owner is dropped.
        }
    }
}

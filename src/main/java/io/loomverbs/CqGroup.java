package io.loomverbs;

import com.google.errorprone.annotations.concurrent.GuardedBy;

import io.loomverbs.internal.event.Readiness;
import io.loomverbs.internal.event.ReadyFd;
import io.loomverbs.internal.event.Waiting;
import io.loomverbs.internal.jfr.RecordedWait;
import io.loomverbs.internal.jfr.Recorder;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Waits for completions of any number of CQs at once, of any contexts and devices, like a consumer
 * notification object (CNO) of uDAPL. CQs join and leave at any time, also while threads wait.
 *
 * <p>Members have direct delivery ({@link Context#createDirectCq(int)}). For the CQs of one
 * completion channel, {@link CompletionChannel#getCqEvent()} does the same. While a CQ is a member,
 * the group receives its events and arms it, on a virtual thread of its own; other threads may poll
 * it, but cannot await or serve it.
 *
 * <p>CQs with completions take turns: each gives up to 16 at a time, then it goes behind the
 * others. If several threads wait, each ready CQ goes to one of them, so completions of one CQ may
 * be returned to several threads.
 *
 * <p>A CQ that leaves keeps the completions that were not returned. Its event may have been
 * received by the group: as always before a wait, arm it, then poll it. {@link
 * CompletionQueue#await} and {@code serve} do that.
 *
 * <p>Safe for use by any number of threads.
 *
 * @since 0.1.0
 */
public final class CqGroup implements AutoCloseable {
    /*
     * A CQ is armed only by a thread that found it empty, and is then polled once more: completions
     * from before the arm raise no event. A later one raises an event; the member's thread receives
     * it and lists the member. A thread that polls takes the member off the list first, so an event
     * during the poll lists it again. What was not empty is listed again.
     *
     * Each listing wakes one waiting thread, and a thread that takes a member and leaves others
     * wakes another: no thread waits while a listed member belongs to none.
     */
    private static final int SHARE = 16;
    private static final AtomicInteger LAST_ID = new AtomicInteger();

    /** For {@code context.dump()}. A group that the program has dropped is not kept. */
    private static final Set<CqGroup> OPEN =
            Collections.synchronizedSet(Collections.newSetFromMap(new WeakHashMap<>()));

    private final int id = LAST_ID.incrementAndGet();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition listings = lock.newCondition();

    /** Held by a thread that closes the group, so that a second one waits for it. */
    private final ReentrantLock closing = new ReentrantLock();

    @GuardedBy("lock")
    private final Map<CompletionQueue, GroupMember> members = new LinkedHashMap<>();

    /** The threads that wait. */
    @GuardedBy("lock")
    private final Set<Waiting> waiters = new LinkedHashSet<>();

    @GuardedBy("lock")
    private @Nullable GroupMember first;

    @GuardedBy("lock")
    private @Nullable GroupMember last;

    @GuardedBy("lock")
    private boolean closed;

    /** Its file descriptor; null unless one was asked for. */
    @GuardedBy("lock")
    private @Nullable Readiness readiness;

    private final ThreadFactory threads;

    /**
     * @param threads makes the virtual threads that receive the events of members
     */
    CqGroup(ThreadFactory threads) {
        this.threads = threads;
    }

    /**
     * Makes a group without members.
     *
     * @return the group
     */
    public static CqGroup create() {
        // Threads that run no code of the program, and keep nothing of it.
        CqGroup group =
                new CqGroup(Thread.ofVirtual().inheritInheritableThreadLocals(false)::unstarted);
        OPEN.add(group);
        return group;
    }

    /** The groups that are open, in the order of their numbers. */
    static List<CqGroup> open() {
        List<CqGroup> open;
        synchronized (OPEN) {
            open = new ArrayList<>(OPEN);
        }
        open.sort(Comparator.comparingInt(group -> group.id));
        return open;
    }

    /** The threads that wait for completions, the one that came first in front. */
    List<Waiting> waiting() {
        lock.lock();
        try {
            return List.copyOf(waiters);
        } finally {
            lock.unlock();
        }
    }

    /** The CQs that are members now. */
    Set<CompletionQueue> members() {
        lock.lock();
        try {
            return Set.copyOf(members.keySet());
        } finally {
            lock.unlock();
        }
    }

    /**
     * Adds a CQ. Completions that it has already are found, too.
     *
     * @param cq a CQ with direct delivery
     * @throws IllegalStateException if the CQ does not have direct delivery, is being served, or is
     *     in a group
     * @throws ClosedException if the group or the CQ is closed
     */
    public void add(CompletionQueue cq) {
        Arguments.notNull(cq, "cq");
        GroupMember member = new GroupMember(this, cq, threads);
        lock.lock();
        try {
            if (closed) {
                throw new ClosedException(this);
            }
            DirectReceiver direct = cq.direct();
            direct.lendTo(member.receiver);
            boolean added = false;
            try {
                members.put(cq, member);
                list(member);
                member.receiver.start();
                added = true;
            } finally {
                if (!added) {
                    members.remove(cq);
                    unlist(member);
                    direct.served(member.receiver);
                }
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * Removes a CQ. When this returns, the group no longer uses it, and it can be awaited, served
     * or added to a group. Parks while another thread polls it for the group. A CQ that is closed
     * leaves by itself.
     *
     * @param cq the CQ
     * @return whether it was a member
     */
    public boolean remove(CompletionQueue cq) {
        Arguments.notNull(cq, "cq");
        GroupMember member;
        lock.lock();
        try {
            member = members.remove(cq);
            if (member == null) {
                return false;
            }
            unlist(member);
        } finally {
            lock.unlock();
        }
        member.leave();
        return true;
    }

    /**
     * How many CQs are members.
     *
     * @return the number at this moment
     */
    public int size() {
        lock.lock();
        try {
            return members.size();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Waits until the members together had at least one completion: {@link #await(GroupCompletions,
     * int)} with a minimum of 1.
     *
     * @param batch where completions go; what was in it is overwritten
     * @return how many it holds
     * @throws InterruptedException if the thread was interrupted before, or while it waited and had
     *     no completions
     * @throws ClosedException if the group is or was closed
     * @throws VerbsException {@code EIO} if a member has overrun; it has left the group
     */
    public int await(GroupCompletions batch) throws InterruptedException {
        return awaitNanos(batch, 1, Long.MAX_VALUE);
    }

    /**
     * Waits until the members together had at least {@code min} completions, without a time limit.
     *
     * @param batch where completions go; what was in it is overwritten
     * @param min how many to wait for, 1 to the batch's capacity
     * @return how many it holds; see {@link #await(GroupCompletions, int, Duration)}
     * @throws InterruptedException if the thread was interrupted before, or while it waited and had
     *     no completions
     * @throws IllegalArgumentException if {@code min} is out of range
     * @throws ClosedException if the group is or was closed
     * @throws VerbsException {@code EIO} if a member has overrun; it has left the group
     */
    public int await(GroupCompletions batch, int min) throws InterruptedException {
        return awaitNanos(batch, min, Long.MAX_VALUE);
    }

    /**
     * Waits until the members together had at least {@code min} completions, for at most {@code
     * timeout}. A group without members waits, too: one may join.
     *
     * <p>No polled completion is lost. If the thread is interrupted, or the group is closed, or a
     * member fails, while the batch holds fewer than {@code min} completions but at least one, this
     * returns them, the thread stays interrupted, and the next call throws. A member that has
     * failed leaves the group when its failure is thrown: to one thread, once.
     *
     * @param batch where completions go; what was in it is overwritten
     * @param min how many to wait for, 1 to the batch's capacity
     * @param timeout how long to wait; zero only polls
     * @return how many it holds; fewer than {@code min}, perhaps 0, at the deadline
     * @throws InterruptedException if the thread was interrupted before, or while it waited and had
     *     no completions
     * @throws IllegalArgumentException if {@code min} is out of range or the timeout is negative
     * @throws ClosedException if the group is or was closed
     * @throws VerbsException {@code EIO} if a member has overrun; it has left the group
     */
    public int await(GroupCompletions batch, int min, Duration timeout)
            throws InterruptedException {
        return awaitNanos(batch, min, Arguments.nanos("timeout", timeout));
    }

    /**
     * The group's file descriptor, for the program's own epoll set. It is readable while a member
     * may have completions, so that {@link #await} has some to return without waiting, or throws,
     * because the member has failed. This is a hint: {@code await} with a timeout of zero may find
     * none, and if it returns 0, the descriptor is no longer readable until a member has news. The
     * program only waits for the descriptor. While threads wait for the group, they may get the
     * completions instead.
     *
     * <p>It is an eventfd, made at the first call; from then on, each change between no such member
     * and some is a system call.
     *
     * @return the file descriptor, which is non-blocking; only the group may read or close it
     * @throws ClosedException if the group is closed
     * @throws UnsupportedOperationException if native access is not enabled, or the system has no
     *     {@code eventfd(2)}
     * @throws VerbsException {@code EMFILE} or {@code ENFILE} if there is no descriptor left
     */
    public int fd() {
        int fd = existingFd();
        return fd >= 0 ? fd : watch(Verbs.readyFd(this));
    }

    private int existingFd() {
        lock.lock();
        try {
            if (closed) {
                throw new ClosedException(this);
            }
            return readiness == null ? -1 : readiness.number();
        } finally {
            lock.unlock();
        }
    }

    /** Gives the group a descriptor, unless it has one: the number of the one that it has. */
    int watch(ReadyFd fd) {
        lock.lock();
        try {
            if (closed) {
                fd.close();
                throw new ClosedException(this);
            }
            if (readiness != null) {
                fd.close();
                return readiness.number();
            }
            readiness = Readiness.of(fd);
            if (first != null) {
                readiness.raise();
            }
            return readiness.number();
        } finally {
            lock.unlock();
        }
    }

    private int awaitNanos(GroupCompletions batch, int min, long nanos)
            throws InterruptedException {
        Arguments.notNull(batch, "batch");
        WorkCompletions got = batch.completions();
        Arguments.inRange("min", min, 1, got.capacity(), "the capacity of the batch");
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        got.size(0);
        boolean timed = nanos != Long.MAX_VALUE;
        long start = timed && nanos > 0 ? System.nanoTime() : 0;
        try {
            while (got.size() < got.capacity()) {
                long left = nanos;
                if (got.size() >= min) {
                    left = 0; // those that are ready, too
                } else if (timed && nanos > 0) {
                    left = nanos - (System.nanoTime() - start);
                }
                GroupMember member = left > 0 ? awaitNext(left) : next(0);
                if (member == null) {
                    break;
                }
                poll(member, batch);
            }
        } catch (RuntimeException e) { // the group is closed, or a member has failed
            if (got.isEmpty()) {
                throw e;
            }
        } catch (InterruptedException e) {
            if (got.isEmpty()) {
                throw e;
            }
            Thread.currentThread().interrupt();
        }
        return got.size();
    }

    private @Nullable GroupMember awaitNext(long nanos) throws InterruptedException {
        RecordedWait wait = Recorder.beginWait();
        GroupMember member = null;
        try {
            member = next(nanos);
            return member;
        } finally {
            Recorder.endWait(wait, this, "await", member != null);
        }
    }

    /** Takes the next member off the list, and waits for one; null if none came in time. */
    private @Nullable GroupMember next(long nanos) throws InterruptedException {
        lock.lock();
        try {
            return nextListed(nanos);
        } finally {
            lock.unlock();
        }
    }

    @GuardedBy("lock")
    private @Nullable GroupMember nextListed(long nanos) throws InterruptedException {
        long left = nanos;
        Waiting me = null;
        try {
            while (true) {
                if (closed) {
                    throw new ClosedException(this);
                }
                GroupMember member = first;
                if (member != null) {
                    unlist(member);
                    if (first != null) {
                        listings.signal();
                    }
                    return member;
                }
                if (left <= 0) {
                    return null;
                }
                if (me == null) {
                    me = new Waiting(Thread.currentThread(), System.nanoTime());
                    waiters.add(me);
                }
                if (left == Long.MAX_VALUE) {
                    listings.await();
                } else {
                    left = listings.awaitNanos(left);
                }
            }
        } finally {
            if (me != null) {
                waitsNoMore(me);
            }
        }
    }

    /**
     * Must not fail, as a member may be taken: without stack, the waiter is shown until the close.
     */
    @GuardedBy("lock")
    private void waitsNoMore(Waiting waiter) {
        try {
            waiters.remove(waiter);
        } catch (StackOverflowError e) {
            // The caller goes on.
        }
    }

    private void poll(GroupMember member, GroupCompletions batch) {
        boolean idle = false;
        member.polling.lock();
        try {
            idle = member.gone || isIdle(member, batch);
        } catch (ClosedException e) {
            idle = true;
            forget(member);
        } catch (RuntimeException e) {
            idle = batch.completions().isEmpty();
            if (idle) {
                forget(member);
            }
            throw e;
        } finally { // also if there is no memory
            member.polling.unlock();
            if (!idle) {
                mayHaveCompletions(member, null);
            }
        }
    }

    /** Polls a member: whether it is empty and armed. */
    private boolean isIdle(GroupMember member, GroupCompletions batch) {
        CompletionQueue cq = member.cq;
        if (batch.poll(cq, SHARE) > 0) {
            return false;
        }
        RuntimeException failure = failureOf(member);
        if (failure != null) {
            throw failure;
        }
        cq.reqNotify(false);
        return batch.poll(cq, SHARE) == 0;
    }

    private @Nullable RuntimeException failureOf(GroupMember member) {
        lock.lock();
        try {
            return member.failure;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Makes a waiting thread look at a member.
     *
     * @param failure why its events end; null if they do not
     */
    void mayHaveCompletions(GroupMember member, @Nullable RuntimeException failure) {
        lock.lock();
        try {
            if (failure != null) {
                member.failure = failure;
            }
            if (members.get(member.cq) == member) {
                list(member);
            }
        } finally {
            lock.unlock();
        }
    }

    /** A member is closed or has failed. */
    void forget(GroupMember member) {
        lock.lock();
        try {
            if (members.remove(member.cq, member)) {
                unlist(member);
            }
        } finally {
            lock.unlock();
        }
        member.receiver.interrupt();
    }

    @GuardedBy("lock")
    private void list(GroupMember member) {
        if (!member.listed) {
            member.listed = true;
            member.previous = last;
            if (last == null) {
                first = member;
            } else {
                last.next = member;
            }
            last = member;
            listings.signal();
            if (readiness != null) {
                readiness.raise();
            }
        }
    }

    @GuardedBy("lock")
    private void unlist(GroupMember member) {
        if (!member.listed) {
            return;
        }
        GroupMember before = member.previous;
        GroupMember after = member.next;
        if (before == null) {
            first = after;
        } else {
            before.next = after;
        }
        if (after == null) {
            last = before;
        } else {
            after.previous = before;
        }
        member.previous = null;
        member.next = null;
        member.listed = false;
        if (first == null && readiness != null) {
            readiness.lower();
        }
    }

    /**
     * Closes the group: all members leave, and keep their completions. Threads that wait get a
     * {@link ClosedException}, or what they have. Closing again does nothing; if two threads close
     * concurrently, the second waits for the first. The CQs stay open.
     */
    @Override
    public void close() {
        closing.lock();
        try {
            List<GroupMember> all;
            lock.lock();
            try {
                closed = true;
                all = new ArrayList<>(members.values());
                members.clear();
                for (GroupMember member : all) {
                    unlist(member);
                }
                listings.signalAll();
                if (readiness != null) {
                    readiness.close();
                    readiness = null;
                }
            } finally {
                lock.unlock();
            }
            all.forEach(GroupMember::leave);
            OPEN.remove(this);
        } finally {
            closing.unlock();
        }
    }

    /** The group's number. */
    @Override
    public String toString() {
        return "cq-group-" + id;
    }
}

package io.loomverbs;

import org.jspecify.annotations.Nullable;

import java.util.concurrent.ThreadFactory;
import java.util.concurrent.locks.ReentrantLock;

/** A CQ in a group, and the virtual thread that receives its events. */
final class GroupMember implements Runnable {
    /** Held while the CQ is polled for the group. */
    final ReentrantLock polling = new ReentrantLock();

    final CompletionQueue cq;
    final Thread receiver;
    private final CqGroup group;

    /** Whether it has left. Under {@link #polling}. */
    boolean gone;

    /** Whether it is in the list of those that may have completions. Under the group's lock. */
    boolean listed;

    // The group's.
    @Nullable GroupMember previous;
    @Nullable GroupMember next;

    /** Why it receives no more events; null if it does. Under the group's lock. */
    @Nullable RuntimeException failure;

    GroupMember(CqGroup group, CompletionQueue cq, ThreadFactory threads) {
        this.group = group;
        this.cq = cq;
        this.receiver = threads.newThread(this);
        receiver.setName(cq + " of " + group);
    }

    /** Has the group look at the CQ whenever it had an event. */
    @Override
    public void run() {
        try {
            receive();
        } catch (InterruptedException e) {
            // It leaves the group.
        } catch (ClosedException e) {
            group.forget(this);
        } catch (RuntimeException e) {
            group.mayHaveCompletions(this, e);
        } finally {
            cq.direct().served(receiver);
        }
    }

    private void receive() throws InterruptedException {
        boolean news = false;
        while (true) {
            try {
                if (news) {
                    group.mayHaveCompletions(this, null);
                }
                news = false;
                cq.getCqEvent().close();
                news = true;
            } catch (VirtualMachineError e) { // the event was acknowledged, or is raised again
                news = true;
                yieldWithoutMemory();
            }
        }
    }

    @SuppressWarnings("ThreadPriorityCheck") // without memory nothing else is possible
    private static void yieldWithoutMemory() {
        try {
            Thread.yield();
        } catch (VirtualMachineError e) {
            // Then it does not yield.
        }
    }

    /** Ends the group's use of the CQ. Interruption does not end this; it is restored. */
    void leave() {
        polling.lock();
        try {
            gone = true;
        } finally {
            polling.unlock();
        }
        receiver.interrupt();
        boolean interrupted = false;
        while (true) {
            try {
                receiver.join();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}

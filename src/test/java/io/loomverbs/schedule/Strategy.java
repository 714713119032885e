package io.loomverbs.schedule;

import java.util.List;

/**
 * Decides which thread goes on. A thread is known by the task that resumes it, always the same
 * object.
 */
interface Strategy {
    /** At a scheduling point of {@code current}: whether another thread gets its turn. */
    boolean preempts(Runnable current, List<Runnable> ready);

    /** The index of the thread that goes on. */
    int pick(List<Runnable> ready);

    /** {@code current} spins, and others must get their turn. */
    void yields(Runnable current);
}

package io.loomverbs.blocking;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/** The free ones of a number of things: a stack of their indices, without lock or allocation. */
final class FreeList {
    /*
     * The low half of `top` is the index on top plus one, or 0. The high half counts the pushes,
     * so that a pop that was overtaken by another pop and a push of the same index fails. Pops alone
     * never bring an index back to the top.
     */
    private static final long INDEX = 0xffff_ffffL;
    private static final long PUSH = 1L << 32;
    private static final VarHandle TOP;
    private static final VarHandle BELOW;

    static {
        try {
            TOP = MethodHandles.lookup().findVarHandle(FreeList.class, "top", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
        BELOW = MethodHandles.arrayElementVarHandle(int[].class);
    }

    private final int[] below;
    private volatile long top;

    FreeList(int size) {
        below = new int[size];
    }

    void push(int index) {
        long t;
        do {
            t = top;
            BELOW.setOpaque(below, index, (int) (t & INDEX));
        } while (!TOP.compareAndSet(this, t, ((t & ~INDEX) + PUSH) | (index + 1)));
    }

    /** An index that was pushed, or -1. */
    int pop() {
        for (; ; ) {
            long t = top;
            int index = (int) (t & INDEX) - 1;
            if (index < 0) {
                return -1;
            }
            int under = (int) BELOW.getOpaque(below, index);
            if (TOP.compareAndSet(this, t, (t & ~INDEX) | under)) {
                return index;
            }
        }
    }
}

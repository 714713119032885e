/*
 * One ledger: closers, threads that are handed events and acknowledge them, and threads that
 * acknowledge events that are not theirs.
 */
#ifndef CLOSERS
#define CLOSERS 2
#endif
#ifndef HOLDERS
#define HOLDERS 2
#endif
#ifndef ASYNC_HOLDERS
#define ASYNC_HOLDERS 0
#endif
#ifndef OVERACK
#define OVERACK 0       /* how many at once */
#endif
#ifndef OVERACKERS
#define OVERACKERS 1
#endif
#ifndef REFUSALS
#define REFUSALS 0
#endif
#ifndef KEPT
#define KEPT 0          /* events that are only acknowledged when nothing else moves any more */
#endif
/* A closer waits behind each other one at most, then for the events, and again after each slice. */
#define NODES_EACH   (CLOSERS + SLICES)
#define CQS          1
#define FIRST_CLOSER 0
#define THREADS      CLOSERS

byte refusals = REFUSALS;

/* Closer.destroy() */
inline destroyDevice(l, success) {
    atomic {
        if
        :: refusals > 0 -> refusals--; success = false
        :: true -> destroyed[l] = true; success = true
        fi
    }
}

#include "threads.inc"
#include "ledger.inc"

byte closersLeft = CLOSERS;

proctype Closer(byte me) {
    LEDGER_LOCALS;
    ledgerClose(0, me);
    atomic {
        assert(outcome != OUT_CLOSED || (word[0] & CLOSED) != 0);
        assert(outcome != OUT_TIMED_OUT || late);
        closersLeft--;
        permit[me] = false;
        interruptStatus = false;
        nodesUsed = 0;
        outcome = 0;
        late = false
    }
}

/* Is handed one event, and acknowledges it later, unless another thread has done so. */
proctype Holder() {
    LEDGER_LOCALS;
    tryDeliver(0, COMPLETION_ONE, ok);
    if
    :: ok ->
       tryAck(0, 1, ok);
       assert(ok || OVERACK > 0)
    :: else
    fi
}

proctype AsyncHolder() {
    LEDGER_LOCALS;
    tryDeliver(0, ASYNC_ONE, ok);
    if
    :: ok ->
       tryAckAsync(0, ok);
       assert(ok)
    :: else
    fi
}

/* Acknowledges what it was not given: is refused, or acknowledges what others were given. */
proctype OverAcker(byte n) {
    LEDGER_LOCALS;
    tryAck(0, n, ok)
}

/* Nodes of threads that have left are no longer in the stack: they do not pile up. */
inline checkStack() {
    atomic {
        i = parked[0];
        do
        :: i == 0 -> break
        :: else -> assert(nodeThread[i] != 0); i = nodeNext[i]
        od
    }
}

init {
    byte i;
    LEDGER_LOCALS;
    atomic {
        word[0] = KEPT * COMPLETION_ONE;
        held[0] = KEPT;
        for (i : 1 .. CLOSERS) {
            run Closer(i - 1)
        }
#if HOLDERS > 0
        for (i : 1 .. HOLDERS) {
            run Holder()
        }
#endif
#if ASYNC_HOLDERS > 0
        for (i : 1 .. ASYNC_HOLDERS) {
            run AsyncHolder()
        }
#endif
#if OVERACK > 0
        for (i : 1 .. OVERACKERS) {
            run OverAcker(OVERACK)
        }
#endif
        i = 0
    }
    /* Nothing moves any more. */
    timeout;
#if KEPT > 0
    checkStack();
    tryAck(0, KEPT, ok);
    timeout;
#endif
    assert(closersLeft == 0);                        /* no closer is left parked */
    assert(parked[0] == 0);                          /* nor any node */
    assert(held[0] == 0);
    assert((word[0] & ~SETTLEMENTS) == (destroyed[0] -> CLOSED : 0)); /* closed, or whole again */
    assert(destroyed[0] || TIMEOUTS + REFUSALS > 0)
}

/*
 * One event queue with its CQs: events come up, threads wait for them and acknowledge them, CQs
 * are closed meanwhile, and in the end the queue is, too. A channel, or with DIRECT the queue of
 * one CQ.
 */
#ifndef CQS
#define CQS 2
#endif
#ifndef WAITERS
#define WAITERS 2
#endif
#ifndef TRIES
#define TRIES 0         /* calls of tryTake() by one more thread */
#endif
#ifndef CLOSERS
#define CLOSERS 1
#endif
#ifndef RAISERS
#define RAISERS 1
#endif
#ifndef RAISES
#define RAISES 2        /* events that come up, by each raiser */
#endif
#ifndef REFUSALS
#define REFUSALS 0
#endif
#ifndef DIRECT
#ifndef CHAIN
#define CHAIN 1         /* threads on their way at once */
#endif
#endif
#define FIRST_CLOSER WAITERS
#define THREADS      (WAITERS + CLOSERS)
#define NODES_EACH   (CLOSERS + SLICES)

byte refusals = REFUSALS;

/* CqCloser.destroy() */
inline destroyDevice(l, success) {
    atomic {
        if
        :: refusals > 0 -> refusals--; success = false
        :: true -> destroyed[l] = true; success = true
        fi
    }
}

#define QUEUE

#include "threads.inc"
#include "ledger.inc"
#include "queue.inc"

byte waitersLeft = WAITERS;
byte closersLeft = CLOSERS;
byte othersLeft;

/* Receives and acknowledges until the queue has ended. */
proctype Waiter(byte me) {
    LEDGER_LOCALS;
    QUEUE_LOCALS;
    do
    :: take(me, false);
       if
       :: got == ENDED -> break
       :: got != NOTHING && got < ENDED ->
          tryAck(got - 1, 1, ok);
          assert(ok)
       :: else
       fi
    od;
    atomic {
        assert(ended);
        got = 0; ok = false; interruptStatus = false; permit[me] = false;
        waitersLeft--
    }
}

#if TRIES > 0
proctype Trier() {
    LEDGER_LOCALS;
    QUEUE_LOCALS;
    byte tries;
    do
    :: tries == TRIES -> break
    :: else ->
       tries++;
       take(0, true);
       if
       :: got != NOTHING && got < ENDED ->
          tryAck(got - 1, 1, ok);
          assert(ok)
       :: else
       fi
    od;
    atomic { tries = 0; got = 0; ok = false; othersLeft-- }
}
#endif

proctype Raiser() {
    LEDGER_LOCALS;
    QUEUE_LOCALS;
    byte raises;
    byte cq;
    do
    :: raises == RAISES -> break
    :: else ->
       atomic { raises++; select(cq : 0 .. CQS - 1) };
       raise(cq)
    od;
    atomic { raises = 0; cq = 0; othersLeft-- }
}

#if CLOSERS > 0
/* Closes CQ 0. */
proctype Closer(byte me) {
    LEDGER_LOCALS;
    QUEUE_LOCALS;
    closeEvents(0, me);
    atomic {
        assert(outcome != OUT_CLOSED || (word[0] & CLOSED) != 0);
        assert(outcome != OUT_TIMED_OUT || late)
    };
#ifdef DIRECT
    if
    :: outcome == OUT_CLOSED -> end()
    :: else
    fi;
#endif
    atomic {
        permit[me] = false; interruptStatus = false;
#ifndef SHORT
        nodesUsed = 0;
#endif
        outcome = 0; late = false; ok = false; owner = false;
        closersLeft--
    }
}
#endif

#ifdef FAILURE
/* The device fails. */
proctype Failure() {
    LEDGER_LOCALS;
    QUEUE_LOCALS;
    assignAllListed();
    end();
    othersLeft--
}
#endif

inline checkAtRest() {
    atomic {
        assert(!locked);
        assert(closersLeft == 0);           /* no closer is left parked */
        assert(othersLeft == 0);
        assert(waitersLeft == len(waiting)); /* waiters are in the queue, */
#ifdef CHAIN
        assert(onTheirWay == 0);            /* woken threads have run, */
        assert(coming == 0 && len(taken) == 0);
        assert(len(inbox) == 0 || len(waiting) == 0); /* and no thread waits beside the inbox, */
#endif
        assert(!ended || waitersLeft == 0); /* and no thread is once it has ended */
        for (i : 0 .. CQS - 1) {
#ifndef SHORT
            assert(parked[i] == 0);
#endif
#ifdef CHAIN
            assert(!inInbox[i] == !(inbox??[eval(i)]));
            assert(!inInbox[i] || (word[i] & CLOSED) == 0); /* no inbox keeps a destroyed CQ */
            assert(owed[i] == pending[i] + inInbox[i]); /* no event was lost, */
#else
            assert(owed[i] == pending[i]);  /* no event was lost, */
#endif
            assert(held[i] == 0);           /* and threads that were given one got it */
            if
            :: destroyed[i] ->
               assert(word[i] == CLOSED);
               assert(pending[i] == 0 && !listed[i])
            :: else ->
               assert(word[i] == 0);        /* whole again */
               assert(pending[i] == 0 || listed[i]); /* to be found by the next take, */
               assert(pending[i] == 0 || len(waiting) == 0) /* for which no thread waits */
            fi
        }
        i = 0
    }
}

init {
    LEDGER_LOCALS;
    QUEUE_LOCALS;
    atomic {
        for (i : 1 .. WAITERS) {
            run Waiter(i - 1)
        }
#if CLOSERS > 0
        for (i : 1 .. CLOSERS) {
            run Closer(FIRST_CLOSER + i - 1)
        }
#endif
        for (i : 1 .. RAISERS) {
            othersLeft++;
            run Raiser()
        }
#if TRIES > 0
        othersLeft++;
        run Trier();
#endif
#ifdef FAILURE
        othersLeft++;
        run Failure();
#endif
        i = 0
    }
    /* Nothing moves any more. */
    timeout;
    checkAtRest();
#ifdef DIRECT
    assert(!destroyed[0] || ended);
#endif
    end();
    timeout;
    checkAtRest()
}

/*
 * Threads that await completions of one CQ with direct delivery: they share its arm.
 *
 * A completion that is added to an armed CQ raises an event and disarms the CQ.
 */
#ifndef WAITERS
#define WAITERS 2
#endif
#ifndef ADDED
#define ADDED 3         /* completions */
#endif
#ifndef ROUNDS
#define ROUNDS 1        /* calls of await by each thread */
#endif
#ifndef MIN
#define MIN 1           /* completions that each call waits for */
#endif
#ifndef CAPACITY
#define CAPACITY 1      /* completions that its batch can hold */
#endif
#define SHORT
#define QUEUE
#define SHARED_ARM
#define CQS          1
#define CLOSERS      0
#define FIRST_CLOSER WAITERS
#define THREADS      WAITERS

/* The device's CQ: each of its operations is one step, under its lock. */
byte completions;
bool armed;

inline destroyDevice(l, success) {
    success = true
}

#include "threads.inc"
#include "ledger.inc"
#include "queue.inc"

byte awaitersLeft = WAITERS;
byte toCome = ADDED;

/* pollMore(batch) */
inline pollMore() {
    atomic {
        do
        :: completions > 0 && n < CAPACITY -> completions--; n++
        :: else -> break
        od
    }
}

/* CqAwait.await */
proctype Awaiter(byte me) {
    LEDGER_LOCALS;
    QUEUE_LOCALS;
    byte n;
    byte rounds;
    bool usedArm;
    do
    :: rounds == ROUNDS -> break
    :: else ->
       rounds++;
       pollMore();
       do
       :: n >= MIN -> break
       :: n < MIN ->
#ifdef SEEN_AFTER_ARM
          armed = true;
          seen = deliveries;
#else
          seen = deliveries;
#ifndef NO_ARM_ANEW
          armed = true;
#else
          if
          :: !usedArm -> armed = true
          :: else
          fi;
#endif
#endif
#ifdef ARMED_IS_PASSED_ON
          usedArm = false;
#endif
#ifndef NO_POLL_AFTER_ARM
          pollMore();
#endif
          if
          :: n >= MIN -> break
          :: else
          fi;
          take(me, false);
          if
          :: got == INTERRUPTED -> break
          :: got == ENDED -> pollMore(); break
          :: got == NOTHING ->
             usedArm = false;
             pollMore();
             if
             :: timedOut -> break
             :: else
             fi
          :: got != NOTHING && got < ENDED ->
             usedArm = true;
             tryAck(0, 1, ok);
             assert(ok);
             pollMore()
          fi
       od;
       if
#ifdef NO_PASS_ON
       :: true
#else
       :: usedArm -> passOn(0)
       :: !usedArm
#endif
       fi;
       atomic {
           n = 0; usedArm = false; got = 0; seen = 0; timedOut = false; ok = false
       }
    od;
    atomic { rounds = 0; interruptStatus = false; permit[me] = false; awaitersLeft-- }
}

proctype Device() {
    LEDGER_LOCALS;
    QUEUE_LOCALS;
    bool fired;
    do
    :: toCome == 0 -> break
    :: toCome > 0 ->
       atomic { toCome--; completions++; fired = armed; armed = false };
       if
       :: fired -> raise(0)
       :: !fired
       fi
    od
}

init {
    LEDGER_LOCALS;
    QUEUE_LOCALS;
    atomic {
        for (i : 1 .. WAITERS) {
            run Awaiter(i - 1)
        }
        run Device();
        i = 0
    }
    /* Nothing moves any more. */
    timeout;
    assert(toCome == 0 && !locked);
    assert(awaitersLeft == len(waiting));
    assert(awaitersLeft == 0 || completions == 0); /* no thread waits beside a completion, */
    assert(awaitersLeft == 0 || armed);            /* or for an event that will not come */
    assert(owed[0] == pending[0] && held[0] == 0);
    end();
    timeout;
    assert(awaitersLeft == 0)
}

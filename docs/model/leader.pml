/*
 * Leadership.java, with what it needs of EventQueue.java: threads wait in queues whose events lie
 * in a kernel, and one of them waits there. What an event does to a ledger is in queue.pml.
 *
 * The lock of a queue is a real one, since appointing a leader under it takes several steps; every
 * other section is one step, which waits for it. Any waiter may be the first in a queue, which is more
 * than Java allows. A thread that has got its events ends: one that came back would lead again, and
 * hide that it has left no leader.
 */
#ifndef QUEUES
#define QUEUES 2
#endif
#ifndef WAITERS
#define WAITERS 2       /* waiter t waits in queue t % QUEUES */
#endif
#ifndef EVENTS
#define EVENTS 2        /* that come up in the kernel, in any queue */
#endif
#ifndef GIVES
#define GIVES 0         /* events that another thread raises, in queue 0 */
#endif
#ifndef TAKES
#define TAKES 1         /* events that a thread takes before it goes its way */
#endif
#define THREADS WAITERS
#define NONE    0       /* leader: null */
#define EVENT   1
#define ENDED   2

#include "threads.inc"

byte leader;            /* the thread + 1 */
bool failed;            /* failure != null */
chan list = [QUEUES] of { byte };
bool enlisted[QUEUES];
bool locked[QUEUES];
bool ended[QUEUES];
byte listed[QUEUES];    /* events raised while no thread waited */
bool inQueue[WAITERS];
byte given[WAITERS];

byte kernel[QUEUES];    /* events that no thread has fetched */
bool woken;             /* the eventfd */
bool breaks;            /* await() throws */

/* Ghosts */
byte inAwait;           /* threads in the source */
byte received;          /* events */
bool unheard;           /* an interrupted thread stays in the kernel */
byte waitersLeft = WAITERS;
byte othersLeft;

#define Q(t) (t % QUEUES)

inline enlist(q) {
    atomic {
        if
        :: enlisted[q]
        :: else -> enlisted[q] = true; list!q
        fi
    }
}

/* Waiter.wake() of thread w, by thread t; t is WAITERS for one that does not wait. */
inline wake(w, t) {
    if
    :: w == t
    :: else ->
       UNPARK(w);
#ifndef GIVER_DOES_NOT_WAKE
       if
       :: leader == w + 1 -> woken = true
       :: else
       fi
#endif
    fi
}

/* raise(): hands over to a thread that waits in q, or lists. By thread t. */
inline raise(q, t) {
    atomic {
        !locked[q] ->
        w = WAITERS;
        if
        :: ended[q]
        :: !ended[q] && Q(0) == q && inQueue[0] -> w = 0
#if WAITERS > 1
        :: !ended[q] && Q(1) == q && inQueue[1] -> w = 1
#endif
#if WAITERS > 2
        :: !ended[q] && Q(2) == q && inQueue[2] -> w = 2
#endif
        :: else -> listed[q]++
        fi;
        if
        :: w < WAITERS -> inQueue[w] = false; given[w] = EVENT
        :: else
        fi
    };
    if
    :: w < WAITERS -> wake(w, t)
    :: else
    fi;
    w = 0
}

/* end(cause) of queue q, by thread t */
inline end(q, t) {
    atomic {
        !locked[q] ->
        ended[q] = true;
        gone = 0;
        w = 0;
        do
        :: w == WAITERS -> break
        :: w < WAITERS && Q(w) == q && inQueue[w] ->
           inQueue[w] = false; given[w] = ENDED; gone = gone | (1 << w); w++
        :: w < WAITERS && !(Q(w) == q && inQueue[w]) -> w++
        od;
        w = 0
    };
    do
    :: w == WAITERS -> break
    :: w < WAITERS && (gone & (1 << w)) != 0 -> wake(w, t); w++
    :: w < WAITERS && (gone & (1 << w)) == 0 -> w++
    od;
    atomic { w = 0; gone = 0 }
}

/* LedQueue.promote() of queue q, by thread t */
inline promote(q, t) {
#ifdef PROMOTE_UNLOCKED
    atomic { true ->
#else
    atomic { !locked[q] -> locked[q] = true;
#endif
        p = WAITERS;
        if
        :: Q(0) == q && inQueue[0] -> p = 0
#if WAITERS > 1
        :: Q(1) == q && inQueue[1] -> p = 1
#endif
#if WAITERS > 2
        :: Q(2) == q && inQueue[2] -> p = 2
#endif
        :: else
        fi
    };
    if
    :: p < WAITERS ->
#ifndef APPOINT_BEFORE_ENLIST
       enlist(q);
#endif
       atomic {
           if
           :: leader == NONE -> leader = p + 1
           :: else -> p = WAITERS
           fi
       };
#ifdef APPOINT_BEFORE_ENLIST
       enlist(q);
#endif
    :: else
    fi;
#ifndef PROMOTE_UNLOCKED
    locked[q] = false;
#endif
    if
    :: p < WAITERS -> UNPARK(p)
    :: else
    fi;
    p = 0
}

/* appointNext() */
inline appointNext(t) {
    do
    :: leader != NONE -> break
    :: else ->
       atomic {
           if
           :: list?q -> enlisted[q] = false; again = true
           :: empty(list) -> again = false
           fi
       };
       if
       :: !again -> break
       :: again && !failed -> promote(q, t)
       :: again && failed -> end(q, t)
       fi
    od;
    atomic { q = 0; again = false }
}

/* left(me) */
inline left(t) {
    if
    :: leader == t + 1 ->
#ifdef LOOK_BEFORE_NULL
       nobody = empty(list);
       leader = NONE;
       if
       :: nobody
       :: else -> appointNext(t)
       fi;
       nobody = false
#else
       leader = NONE;
#ifndef APPOINTS_NOBODY
       appointNext(t)
#endif
#endif
    :: else
    fi
}

/* awaitEvents(): waits in the kernel, then raises some of what there is. */
inline awaitEvents(t) {
    inAwait++;
    assert(inAwait == 1);
    atomic {
        if
        :: woken -> woken = false
        :: !woken && breaks -> failed = true
        :: !woken && (kernel[0] > 0 || kernel[QUEUES - 1] > 0)
        :: timeouts > 0 -> timeouts--; late = true
        :: interrupts > 0 -> interrupts--; interruptStatus = true
        fi
    };
#ifdef INTERRUPT_DOES_NOT_WAKE
    if
    :: interruptStatus ->
       unheard = true;
       atomic {
           if
           :: woken -> woken = false
           :: !woken && breaks -> failed = true
           :: !woken && (kernel[0] > 0 || kernel[QUEUES - 1] > 0)
           fi;
           unheard = false
       }
    :: else
    fi;
#endif
    do
    :: failed -> break
    :: !failed && kernel[0] == 0 && kernel[QUEUES - 1] == 0 -> break
    :: given[t] != 0 -> break
    :: atomic { !failed && kernel[0] > 0 -> kernel[0]-- }; raise(0, t)
#if QUEUES > 1
    :: atomic { !failed && kernel[1] > 0 -> kernel[1]-- }; raise(1, t)
#endif
    od;
    inAwait--
}

/* take(), on thread t, in queue Q(t); the result in got. */
inline take(t) {
    atomic {
        !locked[Q(t)] ->
        got = 0;
        given[t] = 0;
        joined = false;
        if
        :: listed[Q(t)] > 0 -> listed[Q(t)]--; got = EVENT
        :: listed[Q(t)] == 0 && ended[Q(t)] -> got = ENDED
        :: else -> inQueue[t] = true; joined = true
        fi
    };
    if
    :: !joined
    :: joined ->
       do
       :: given[t] != 0 -> break
       :: given[t] == 0 && (late || interruptStatus) ->
          atomic {
              !locked[Q(t)] ->
              if
              :: given[t] == 0 -> inQueue[t] = false; gaveUp = true
              :: else
              fi
          };
          if
          :: gaveUp -> break
          :: else
          fi
       :: given[t] == 0 && !late && !interruptStatus ->
          /* lead(): takeLead() */
          leads = leader == t + 1;
          if
          :: leads
          :: !leads ->
             atomic {
                 if
                 :: leader == NONE -> leader = t + 1; leads = true
                 :: else
                 fi
             };
             if
             :: leads
             :: !leads ->
                enlist(Q(t));
#ifndef NO_SECOND_LOOK
                atomic {
                    if
                    :: leader == NONE -> leader = t + 1; leads = true
                    :: else
                    fi
                }
#endif
             fi
          fi;
          if
          :: !leads ->
             IN_PARK(t, true);
             atomic {
                 if
                 PARK_ENDS(t)
                 :: !permit[t] && timeouts > 0 -> timeouts--; late = true
                 fi;
                 IN_PARK(t, false)
             }
          :: leads && failed -> end(Q(t), t)
#ifdef NO_LOOK_AT_GIVEN
          :: leads && !failed -> awaitEvents(t)
#else
          :: leads && !failed && given[t] != 0
          :: leads && !failed && given[t] == 0 -> awaitEvents(t)
#endif
          fi;
          leads = false
       od;
#ifdef LEADS_ON
       skip
#else
       left(t)
#endif
       ;
       atomic {
           if
           :: gaveUp -> interruptStatus = false
           :: else -> got = given[t]
           fi;
           gaveUp = false; late = false; joined = false
       }
    fi
}

proctype Waiter(byte me) {
    byte w; byte p; byte q; byte gone; byte got;
    bool again; bool nobody; bool joined; bool leads; bool late; bool interruptStatus; bool gaveUp;
    byte takes;
    do
    :: takes == TAKES -> break
    :: takes < TAKES ->
       take(me);
       if
       :: got == ENDED -> break
       :: got == EVENT -> received++; takes++
       :: else
       fi
    od;
    atomic {
        takes = 0;
        got = 0; interruptStatus = false; late = false; permit[me] = false; given[me] = 0;
        waitersLeft--
    }
}

proctype Kernel() {
    byte n; byte q;
    do
    :: n == EVENTS -> break
    :: else -> atomic { n++; select(q : 0 .. QUEUES - 1); kernel[q]++ }
    od;
    atomic { n = 0; q = 0; othersLeft-- }
}

#if GIVES > 0
/* As when a failed close lists its CQ again. */
proctype Giver() {
    byte n; byte w;
    do
    :: n == GIVES -> break
    :: else -> n++; raise(0, WAITERS)
    od;
    atomic { n = 0; othersLeft-- }
}
#endif

#ifdef CLOSE
/* Queue 0 is closed. */
proctype Closer() {
    byte w; byte gone;
    end(0, WAITERS);
    othersLeft--
}
#endif

#ifdef FAILURE
proctype Failure() {
    breaks = true;
    othersLeft--
}
#endif

inline checkAtRest() {
    atomic {
        assert(othersLeft == 0);
        n = 0;
        for (i : 0 .. WAITERS - 1) {
            if
            :: inQueue[i] ->
               n++;
               assert(!ended[Q(i)]);
               assert(listed[Q(i)] == 0)
            :: else
            fi
        }
        assert(n == waitersLeft);               /* threads that are left wait in a queue, */
        assert(n == 0 || (kernel[0] == 0 && kernel[QUEUES - 1] == 0)); /* and no event is left for them; */
        assert(n == 0 || leader != NONE);       /* one of them leads */
        assert(leader == NONE || inQueue[leader - 1]);
        assert(inAwait == (leader == NONE -> 0 : 1)); /* and is in the kernel; */
        assert(!unheard);                       /* it comes back when interrupted; */
        assert(!breaks || n == 0);              /* no thread waits for a device that has failed */
        assert(ended[0] || ended[QUEUES - 1] || failed
            || received + listed[0] + kernel[0]
                + (QUEUES > 1 -> listed[QUEUES - 1] + kernel[QUEUES - 1] : 0) == EVENTS + GIVES);
        i = 0; n = 0
    }
}

init {
    byte i; byte n; byte w; byte gone;
    atomic {
        for (i : 1 .. WAITERS) {
            run Waiter(i - 1)
        }
        othersLeft++;
        run Kernel();
#if GIVES > 0
        othersLeft++;
        run Giver();
#endif
#ifdef CLOSE
        othersLeft++;
        run Closer();
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
    for (i : 0 .. QUEUES - 1) {
        end(i, WAITERS)
    }
    timeout;
    assert(waitersLeft == 0 && leader == NONE)
}

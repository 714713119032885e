/*
 * The end of a channel: CQs are created on it and closed, threads wait at it, and others close it.
 *
 * Lifecycle.java counts the CQs. The rest of a CQ's life is queue.inc.
 */
#ifndef CQS
#define CQS 2
#endif
#ifndef WAITERS
#define WAITERS 1
#endif
#ifndef ENDERS
#define ENDERS 2        /* threads that close the channel */
#endif
#ifndef REFUSALS
#define REFUSALS 0      /* times that the device does not destroy the channel */
#endif
#ifndef FAILURES
#define FAILURES 0      /* times that it does not create a CQ */
#endif
#define SHORT
#define QUEUE
#define CHAIN 1         /* threads on their way at once */
#define CLOSERS      CQS
#define FIRST_CLOSER WAITERS
#define THREADS      (WAITERS + CLOSERS)

/* CompletionChannel.usage: how many CQs use it */
#define GONE 255        /* Lifecycle.CLOSED */
#define GOING 254       /* Lifecycle.CLOSING */
byte users;

/* Ghosts */
byte cqsOnDevice;
bool channelDestroyed;
bool saidClosed;

byte refusals = REFUSALS;
byte failures = FAILURES;

/* CqCloser.destroy() */
inline destroyDevice(l, success) {
#ifdef RELEASE_BEFORE_DESTROY
    release();
#endif
    atomic {
        assert(!channelDestroyed);
        destroyed[l] = true;
        cqsOnDevice--;
        success = true
    };
#ifndef RELEASE_BEFORE_DESTROY
    release()
#endif
}

#include "threads.inc"
#include "ledger.inc"
#include "queue.inc"

byte waitersLeft = WAITERS;
byte othersLeft = CQS + ENDERS;

/* Lifecycle.acquire() */
inline acquire(success) {
#ifdef ACQUIRE_CHECK_THEN_ACT
    success = users != GONE;
    if
    :: success -> users++
    :: else
    fi
#else
    atomic {
        users != GOING;         /* parkUntilEnd() */
        success = users != GONE;
        if
        :: success -> users++
        :: else
        fi
    }
#endif
}

/* Lifecycle.release() */
inline release() {
    atomic {
        assert(users < GOING && users > 0);
        users--
    }
}

/* The start of Lifecycle.close() */
inline beginToClose(success) {
#ifdef CLOSE_CHECK_THEN_ACT
    success = users == 0;
    if
    :: success -> users = GOING
    :: else
    fi
#else
    atomic {
#ifndef SAYS_CLOSED_TOO_EARLY
        users != GOING;         /* parkUntilEnd() */
#endif
        success = users == 0;
        if
        :: success -> users = GOING
        :: else
        fi
    }
#endif
}

/* CompletionChannel.close() */
inline closeChannel() {
    beginToClose(ok);
    if
    :: !ok ->
       atomic {
           if
#ifdef SAYS_CLOSED_TOO_EARLY
           :: users >= GOING -> saidClosed = true
#else
           :: users == GONE -> saidClosed = true
#endif
           :: else /* EBUSY; in Java, if it is GOING by now, back to the start */
           fi
       }
    :: ok ->
       atomic {
           if
           :: refusals > 0 -> refusals--; ok = false
           :: true ->
              assert(cqsOnDevice == 0);
              assert(!channelDestroyed);
              channelDestroyed = true
           fi
       };
       if
       :: !ok ->
#ifndef NO_REOPEN
          users = 0
#else
          skip
#endif
       :: ok ->
#ifndef CLOSE_WITHOUT_END
          end();
#endif
          users = GONE;
          saidClosed = true
       fi
    fi;
    ok = false
}

proctype Waiter(byte me) {
    LEDGER_LOCALS;
    QUEUE_LOCALS;
    do
    :: take(me, false);
       if
       :: got == ENDED -> break
       :: got != NOTHING && got < ENDED ->
          assert(!channelDestroyed);
          tryAck(got - 1, 1, ok);
          assert(ok)
       :: else
       fi
    od;
    atomic { got = 0; ok = false; interruptStatus = false; permit[me] = false; waitersLeft-- }
}

/* Creates a CQ on the channel, raises an event and closes the CQ. */
proctype User(byte cq) {
    LEDGER_LOCALS;
    QUEUE_LOCALS;
    acquire(ok);
    if
    :: !ok /* ClosedException */
    :: ok ->
       atomic {
           if
           :: failures > 0 -> failures--; ok = false
           :: true ->
              assert(!channelDestroyed);  /* the device is handed a channel that exists */
              cqsOnDevice++
           fi
       };
       if
       :: !ok ->
#ifdef FAILURE_KEEPS_USE
          skip
#else
          release()
#endif
       :: ok ->
          raise(cq);
          closeEvents(cq, FIRST_CLOSER + cq);
          assert(outcome == OUT_CLOSED)
       fi
    fi;
    atomic { ok = false; outcome = 0; owner = false; othersLeft-- }
}

proctype Ender() {
    LEDGER_LOCALS;
    QUEUE_LOCALS;
    closeChannel();
    othersLeft--
}

init {
    LEDGER_LOCALS;
    QUEUE_LOCALS;
    atomic {
        for (i : 1 .. WAITERS) {
            run Waiter(i - 1)
        }
        for (i : 1 .. CQS) {
            run User(i - 1)
        }
        for (i : 1 .. ENDERS) {
            run Ender()
        }
        i = 0
    }
    /* Nothing moves any more. */
    timeout;
    assert(othersLeft == 0 && cqsOnDevice == 0);
    assert(!saidClosed || channelDestroyed);    /* a closer that says closed is right, */
    assert(saidClosed == channelDestroyed);
    assert(users == (channelDestroyed -> GONE : 0));
    assert(channelDestroyed == ended);
    assert(waitersLeft == (ended -> 0 : WAITERS)); /* and no thread waits at a destroyed channel */
    if
    :: !channelDestroyed -> refusals = 0; closeChannel(); timeout
    :: else
    fi;
    assert(channelDestroyed && ended && waitersLeft == 0)
}

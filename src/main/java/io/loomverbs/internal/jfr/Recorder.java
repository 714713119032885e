package io.loomverbs.internal.jfr;

import org.jspecify.annotations.Nullable;

/**
 * Writes events to JDK Flight Recorder, if the module {@code jdk.jfr} is there. While an event is
 * off, a call costs a look at a flag. What cannot be recorded, for lack of memory, is left out: a
 * caller that records what it has done must not fail.
 */
public final class Recorder {
    private static final boolean AVAILABLE = isThere();

    private Recorder() {}

    private static boolean isThere() {
        try {
            Class.forName("jdk.jfr.Event", false, Recorder.class.getClassLoader());
            return true;
        } catch (ClassNotFoundException e) {
            return false;
        }
    }

    /** Begins to record a wait of the calling thread; null if such waits are not recorded. */
    public static @Nullable RecordedWait beginWait() {
        try {
            return AVAILABLE ? Events.beginWait() : null;
        } catch (Error e) { // also later, if their classes could not be initialized
            return null;
        }
    }

    /**
     * Ends the recording of a wait, on the thread that began it.
     *
     * @param wait what {@link #beginWait} has returned
     * @param waitedFor the object whose event it was; its text is asked for only if the wait was
     *     long enough to be recorded
     * @param operation what the program called
     * @param received whether the thread got what it waited for
     */
    public static void endWait(
            @Nullable RecordedWait wait, Object waitedFor, String operation, boolean received) {
        if (wait != null) {
            wait.ended(waitedFor, operation, received);
        }
    }

    /** Begins to record a close that waits; null if such closes are not recorded. */
    public static @Nullable RecordedClose beginClose() {
        try {
            return AVAILABLE ? Events.beginClose() : null;
        } catch (Error e) { // also later, if their classes could not be initialized
            return null;
        }
    }

    /** Begins to record a leader's wait in the kernel; null if such waits are not recorded. */
    public static @Nullable RecordedWake beginWake() {
        try {
            return AVAILABLE ? Events.beginWake() : null;
        } catch (Error e) { // also later, if their classes could not be initialized
            return null;
        }
    }

    /** Begins to record the time from an arm to its event; null if that is not recorded. */
    public static @Nullable RecordedArm beginArm() {
        try {
            return AVAILABLE ? Events.beginArm() : null;
        } catch (Error e) { // also later, if their classes could not be initialized
            return null;
        }
    }

    /** Whether the time from an arm to its event is recorded. */
    public static boolean recordsArms() {
        try {
            return AVAILABLE && Events.ARM.isEnabled();
        } catch (Error e) { // also later, if their classes could not be initialized
            return false;
        }
    }

    /** Begins to record a registration; null if they are not recorded. */
    public static @Nullable RecordedRegistration beginRegistration() {
        try {
            return AVAILABLE ? Events.beginRegistration() : null;
        } catch (Error e) { // also later, if their classes could not be initialized
            return null;
        }
    }

    /**
     * An asynchronous event was raised.
     *
     * @param type what happened
     * @param number its number in verbs
     * @param subject what it happened to
     * @param port the port of {@code subject}, or 0
     */
    public static void asyncEvent(Enum<?> type, int number, Object subject, int port) {
        if (AVAILABLE) {
            try {
                Events.asyncEvent(type, number, subject, port);
            } catch (Error e) {
                // left out
            }
        }
    }

    /**
     * A CQ has overrun.
     *
     * @param cq the CQ
     * @param cqe how many completions it can hold
     * @param polled how many were polled so far
     */
    public static void cqOverrun(Object cq, int cqe, long polled) {
        if (AVAILABLE) {
            try {
                Events.cqOverrun(cq, cqe, polled);
            } catch (Error e) {
                // left out
            }
        }
    }

    /**
     * A queue pair has failed.
     *
     * @param qp the queue pair
     * @param type the asynchronous event that said so
     * @param sendCq where its sends complete
     * @param recvCq where its receives complete
     */
    public static void qpError(Object qp, Enum<?> type, Object sendCq, Object recvCq) {
        if (AVAILABLE) {
            try {
                Events.qpError(qp, type, sendCq, recvCq);
            } catch (Error e) {
                // left out
            }
        }
    }

    /** What waits for all contexts of a poller has failed. */
    public static void pollerFailure(Throwable failure) {
        if (AVAILABLE) {
            try {
                Events.pollerFailure(failure);
            } catch (Error e) {
                // left out
            }
        }
    }

    /** Loaded only if the module is there. */
    private static final class Events {
        /** Never committed: asked whether such events are on, which allocates nothing. */
        private static final EventWait WAIT = new EventWait();

        private static final CloseWait CLOSE = new CloseWait();
        private static final PollerWake WAKE = new PollerWake();
        private static final ArmToEvent ARM = new ArmToEvent();
        private static final MemoryRegistration REGISTRATION = new MemoryRegistration();

        static @Nullable RecordedWait beginWait() {
            if (!WAIT.isEnabled()) {
                return null;
            }
            EventWait event = new EventWait();
            event.begin();
            return event;
        }

        static @Nullable RecordedClose beginClose() {
            if (!CLOSE.isEnabled()) {
                return null;
            }
            CloseWait event = new CloseWait();
            event.begin();
            return event;
        }

        static @Nullable RecordedWake beginWake() {
            if (!WAKE.isEnabled()) {
                return null;
            }
            PollerWake event = new PollerWake();
            event.begin();
            return event;
        }

        static @Nullable RecordedArm beginArm() {
            if (!ARM.isEnabled()) {
                return null;
            }
            ArmToEvent event = new ArmToEvent();
            event.begin();
            return event;
        }

        static @Nullable RecordedRegistration beginRegistration() {
            if (!REGISTRATION.isEnabled()) {
                return null;
            }
            MemoryRegistration event = new MemoryRegistration();
            event.begin();
            return event;
        }

        static void asyncEvent(Enum<?> type, int number, Object subject, int port) {
            AsyncEventRaised event = new AsyncEventRaised();
            if (event.shouldCommit()) {
                event.type = type.name();
                event.number = number;
                event.subject = subject.toString();
                event.port = port;
                event.commit();
            }
        }

        static void cqOverrun(Object cq, int cqe, long polled) {
            CqOverrun event = new CqOverrun();
            if (event.shouldCommit()) {
                event.cq = cq.toString();
                event.cqe = cqe;
                event.polled = polled;
                event.commit();
            }
        }

        static void qpError(Object qp, Enum<?> type, Object sendCq, Object recvCq) {
            QpError event = new QpError();
            if (event.shouldCommit()) {
                event.qp = qp.toString();
                event.type = type.name();
                event.sendCq = sendCq.toString();
                event.recvCq = recvCq.toString();
                event.commit();
            }
        }

        static void pollerFailure(Throwable failure) {
            PollerFailure event = new PollerFailure();
            if (event.shouldCommit()) {
                event.failure = failure.toString();
                event.commit();
            }
        }
    }
}

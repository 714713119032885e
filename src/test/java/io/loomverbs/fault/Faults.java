package io.loomverbs.fault;

import io.loomverbs.fault.Fault.Edit;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * The faults that tests must find, each a line that somebody might get wrong.
 *
 * <p>A fault is found by the seeded schedules of the scenarios that stand in front of it, and by
 * the races that name it. One that nothing finds is no fault: it fails the build.
 */
public final class Faults extends Changes {
    private static final String LEDGER = "internal.event.Ledger";
    private static final String QUEUE = "internal.event.EventQueue";
    private static final String ASSIGNING = "internal.event.AssigningQueue";
    private static final String INBOX = "internal.event.Inbox";
    private static final String WAKE_CHAIN = "internal.event.WakeChain";
    private static final String LEADERSHIP = "internal.event.Leadership";
    private static final String TURNS = "internal.event.Turns";
    private static final String TURN = "internal.event.Turns$Turn";
    private static final String TURNS_GUARD = "internal.event.TurnsGuard";
    private static final String QUEUED_CQ = "internal.event.QueuedCq";
    private static final String ASYNC_QUEUE = "internal.event.AsyncQueue";
    private static final String CALL_GATE = "internal.event.CallGate";
    private static final String CQ = "CompletionQueue";
    private static final String SEND_QUEUE = "internal.soft.SendQueue";
    private static final String SOFT_CQ = "internal.soft.SoftCq";
    private static final String SOFT_SRQ = "internal.soft.SoftSrq";
    private static final long CLOSED = 2;
    private static final long STATE = 3;
    private static final long SETTLEMENTS = 0xfff << 2;
    private static final int USAGE_CLOSED = -1;
    private static final int USAGE_CLOSING = -2;

    private final List<Fault> all = new ArrayList<>();
    private List<String> scenarios;
    private String className;

    private Faults() {}

    public static List<Fault> all() {
        Faults faults = new Faults();
        faults.delivery();
        faults.closing();
        faults.bookkeeping();
        faults.api();
        faults.device();
        faults.leadership();
        faults.turns();
        return List.copyOf(faults.all);
    }

    private void delivery() {
        in(QUEUE, "delivery");
        plant("raise wakes nobody", "raiseShared", without("wakeAll"));
        plant(
                "a waiter with an event in hand gives up",
                "cancel",
                pauseBefore("lock"),
                blindTo("given"));
        plant("giving up without the lock", "cancel", unlocked());
        plant("relisting wakes nobody", "relist", without("wake"));
        plant("whom an arrival hands an event is not woken", "arrived", without("wakeAll"));
        plant("arriving without the lock", "arrived", unlocked());
        plant(
                "a thread that raises does not look who waits",
                "raiseShared",
                answering("isWanted", 0));
        plant("a second event of a CQ is forgotten", "raiseShared", without("list"));
        plant("a thread that joins leaves events where they are", "join", without("assignWanted"));
        in(ASSIGNING, "delivery");
        plant("a CQ with more events is not listed again", "deliverListed", without("append"));
        plant("a listed CQ is listed twice", "assignOrList", blindTo("listed"));
        plant("a thread that arrives hands nothing on", "assignListed", blindTo("firstWaiter"));
        plant("nobody says that he waits", "assignWanted", without("setWanted"));
        plant("nobody looks into the inbox", "deliverListed", without("drainInbox"));
        in(INBOX, "delivery");
        plant("events overwrite one another", "push", torn());
        in(QUEUED_CQ, "delivery");
        plant("a failed close does not list the CQ again", "close", without("relist"));
        in(QUEUE, "interrupts");
        plant("an interrupt is swallowed", "take", answering("interrupted", 0));
        in(QUEUE, "closing");
        plant("the end wakes nobody", "end", without("wakeAll"));
        in(QUEUE);
        plant(
                "a waiter is woken before it is given its event",
                elsewhere(ASSIGNING, "assign", tellBeforeWriting("given", "wake")),
                at("raiseShared", without("wakeAll")));
        plant("a waiter that gives up stays in the list", "cancel", without("remove"));
        plant(
                "an event is taken without the lock",
                at("takeListed", unlocked()),
                elsewhere(ASSIGNING, "deliverListed", pauseBefore("remove")));
        plant("an event is handed over without the lock", "raiseShared", unlocked());
        plant("a queue ends without the lock", "end", unlocked(), pauseBefore("given"));
        plant("a waiter looks for the end before it has the lock", "take", readFirst("end"));
        plant("a thread that comes after the end is not told", "end", notSet("end"));
        plant(
                "a thread that was interrupted never arrives",
                "leavePlace",
                withoutIfInterrupted("arrived"));
        in(INBOX);
        plant(
                "a CQ leaves the inbox before its link is read",
                "takeAll",
                tellBeforeReading("below", "leaveInbox"));
        in(ASSIGNING);
        plant(
                "a waiter says that it waits, and does not look again",
                "assignWanted",
                returningAfter("setWanted"));
        plant(
                "an event is delivered whatever the ledger says",
                "deliverListed",
                without("tryDeliver"));
        plant(
                "the search for events ends at a closing CQ",
                "deliverListed",
                returningIf("tryDeliver"));
        plant("an event comes up for a CQ that was closed", "list", answering("isClosed", 0));
    }

    private void closing() {
        in(LEDGER, "closers");
        plant("the last acknowledgement wakes no closer", "wakeIfLast", without("wakeClosers"));
        plant("the end of a close wakes no closer", "leaveClosing", without("wakeClosers"));
        plant("only the last closer is woken", "wakeClosers", blindTo("next"));
        plant("a thread that leaves takes others along", "unlinkDead", blindTo("thread"));
        plant("no look between the push and the park", "await", noLookAfterPush());
        plant("two closers begin", "beginClose", torn());
        plant("a close does not wait", "await", blindTo("word"));
        in(LEDGER, "closers", "overacks");
        plant("claims overwrite one another", "tryAck", torn());
        in(LEDGER, "overacks");
        plant("taking back a claim forgets the others", "tryAck", answering("settled", 0));
        in(LEDGER, "closing");
        plant("closing does not stop deliveries", "tryDeliver", without(STATE));
        plant("a delivery overwrites a close", "tryDeliver", torn());
        in(LEDGER, "async");
        plant("closing does not stop asynchronous events", "tryDeliverAsync", without(STATE));
        in(LEDGER);
        plant(
                "a refusal does not wait for claims that are taken back",
                "wordWithoutDeficit",
                insteadOf(0, Long.MIN_VALUE));
        plant(
                "a claim that fits by now is taken back",
                "tryAck",
                without(SETTLEMENTS),
                answering("ackWhatIsThere", -1));
        plant(
                "a claim that is taken back wakes no closer",
                "tryAck",
                pauseBefore("compareAndSet"),
                without("wakeIfLast"));
        plant(
                "whether it is the last is decided before the acknowledgement",
                "tryAck",
                decidedFirst());
        plant(
                "an asynchronous acknowledgement wakes no closer",
                "tryAckAsync",
                without("wakeIfLast"));
        plant("closers overwrite one another on the stack", "push", torn());
        plant("a close that failed writes back what it read", "leaveClosing", torn());
        plant(
                "a close that has begun does not stop deliveries",
                "tryDeliver",
                insteadOf(STATE, CLOSED));
        plant("a close swallows an interrupt", "await", without("interrupt"));
        plant(
                "an interrupt ends a close",
                "await",
                returningIf("interrupted"),
                answering("keepWaiting", 0));
        plant(
                "a close that failed lists events before the ledger is open",
                at("close", relistBefore("reopen")),
                elsewhere(QUEUED_CQ, "close", without("relist")));
        in(ASYNC_QUEUE, "async");
        plant("an asynchronous event wakes nobody", "raise", without("wakeAll"));
        plant("asynchronous events are forgotten by a failed close", "recheck", without("wakeAll"));
        plant("the end of asynchronous events wakes nobody", "end", without("wakeAll"));
        in(ASYNC_QUEUE);
        plant(
                "looking for an asynchronous event and waiting are two steps",
                "deliverOrJoin",
                letGoBefore("add"));
        plant("an asynchronous event is taken without the lock", "deliverOrJoin", unlocked());
        plant(
                "an asynchronous event is delivered whatever the ledger says",
                "deliver",
                answering("tryDeliverAsync", 1));
        plant(
                "an asynchronous waiter looks for the end before it has the lock",
                "deliverOrJoin",
                readFirst("end"));
    }

    /** What goes wrong unseen at first. */
    private void bookkeeping() {
        in(WAKE_CHAIN, "delivery");
        plant("an arrival is not counted", "arrives", notSet("onTheirWay"));
        plant("one who is on the way is not counted", "departs", notSet("onTheirWay"));
        in(QUEUE, "delivery");
        plant(
                "a thread that is late and takes an event arrives",
                "wasOnItsWay",
                blindTo("tookItself"));
        in(ASSIGNING, "delivery");
        plant("an event taken stays pending", "deliverListed", notSet("pending"));
        plant("an event handed over stays pending", "assignOrList", notSet("pending"));
        plant("an event listed is not pending", "list", notSet("pending"));
        plant("what is taken off the list seems listed", "remove", notSet("listed"));
        plant("what is taken off the list keeps its links", "remove", notSet("previous"));
        plant("the end of the list is not moved", "remove", notSet("lastListed"));
        in(INBOX, "delivery");
        plant("what leaves the inbox keeps its link", "release", notSet("below"));
        plant("what leaves the inbox seems to be there", "release", without("leaveInbox"));
        in(ASSIGNING, "await");
        plant("deliveries are not counted", "countDelivered", notSet("delivered"));
        in(QUEUE, "closing");
        plant("a destroyed CQ has events", "drop", notSet("pending"));
        in(ASSIGNING, "closing");
        plant("the end leaves a first waiter", "forgetWaiters", notSet("firstWaiter"));
        plant("the end leaves a last waiter", "forgetWaiters", notSet("lastWaiter"));
        in(ASYNC_QUEUE, "async");
        plant("an event received stays", "deliver", without("remove"));
        in(LEDGER, "overacks");
        plant("a second look subtracts nothing", "ackWhatIsThere", answering("compareAndSet", 1));
        in(LEDGER, "closers");
        plant("a closer that has left seems to wait", "await", notSet("thread"));
        in("Lifecycle", "churn");
        plant("a user that is gone keeps its name", "release", without("remove"));
        plant("a user that is gone is counted", "leave", without("getAndAdd"));
        in(SEND_QUEUE, "messages");
        plant("a request that is done keeps its slot", "complete", without("advance"));
        in("internal.soft.CqRing", "messages");
        plant("a completion that is polled stays", "take", without("setRelease"));
        in("internal.soft.SlotRing", "messages");
        plant("a slot that is free stays", "advance", without("setRelease"));
        in("internal.soft.IdTable", "churn");
        plant("a number given back is not counted", "remove", notSet("freeCount"));
        plant("a number given out is not counted", "add", notSet("freeCount"));
        plant("what is removed is alive", "remove", notSet("live"));
    }

    private void api() {
        in("CqEvent", "delivery");
        plant("an event is acknowledged twice", "close", answering("compareAndSet", 1));
        in("CqEvent");
        plant("an event is acknowledged by a look and a write", "close", torn());
        in("CqDelivery");
        plant("events that are held get lost", "add", torn());
        in(CQ, "closing");
        plant("a direct CQ's waiters are left behind", "endWaits", without("end"));
        in("CompletionChannel", "closing");
        plant("a channel's waiters are left behind", "close", without("end"));
        in("Lifecycle", "churn");
        plant("users get lost", "acquire", torn());
        plant("what has users is closed", "close", answering("compareAndSet", 1));
        in("Lifecycle", "refusals");
        plant("a thread that was taken off the list waits on", "awaitCloser", blindTo("over"));
        plant("a closer tells nobody", "close", without("wakeAll"));
        plant("a thread that was not seen stays in the list", "awaitCloser", without("wakeAll"));
        plant("a refused close stays one", "close", notSet("users"));
        plant("waiters overwrite one another", "awaitCloser", torn());
        in("Lifecycle");
        plant("a close looks for users, then closes", "close", torn());
        plant("a user leaves in two steps", "leave", torn());
        plant("two first users each begin a set of names", "name", torn());
        plant(
                "a thread that closes beside another takes it to be closed",
                "close",
                insteadOf(USAGE_CLOSED, USAGE_CLOSING));
        plant(
                "a thread that creates beside a close takes it to be closed",
                "acquire",
                insteadOf(USAGE_CLOSED, USAGE_CLOSING));
        in("CqCloser", "self-close");
        plant("a thread waits for itself", "keepWaiting", answering("isHeldHere", 0));
        in(CQ, "await");
        plant(
                "a thread that leaves with the arm used up wakes nobody",
                "awaitNanos",
                without("passOn"));
        in(QUEUE, "await");
        plant("an arm that was used up is relied on", "takeUnlessPassed", without(1));
        in(CQ);
        plant("two serve one CQ", "serve", torn());
        in(CQ, "messages");
        plant(
                "no poll after the arm",
                "awaitNanos",
                pauseBefore("reqNotify"),
                without("pollMore").number(2));
        plant("a handler learns EINVAL from a close", "reqNotify", without("ensureNotDestroyed"));
        in("QueuePair", "messages");
        plant(
                "a user learns EINVAL from a close",
                "ensureNotDestroyed",
                answering("isDestroyed", 0));
        in(CQ, "overrun");
        plant("an overrun tells no waiter", "failOn", without("end"));
    }

    private void device() {
        in(SEND_QUEUE, "messages");
        plant("a signal to a runner is lost", "run", setAnyway());
        plant("everybody runs the queue", "signal", answering("getAndSet", 0));
        plant("two requests go into one slot", "append", unlocked());
        in(SOFT_CQ, "messages");
        plant("an arm has no effect", "reqNotify", answering("max", 0));
        in(SOFT_CQ, "overrun");
        plant("queue pairs survive their CQ", "failUsers", without("forEach"));
        softCq();
        softQp();
    }

    private void softCq() {
        in(SOFT_CQ);
        plant("the arm is looked at before the completion is there", "add", readFirst("arm"));
        plant("a CQ is armed without the lock", "reqNotify", unlocked(), pauseBefore("max"));
        plant("a completion is added without the lock", "add", unlocked(), pauseBefore("arm"));
        plant(
                "a completion is announced before it is written",
                at("poll", unlocked()),
                elsewhere("internal.soft.CqRing", "add", countedFirst("size")));
        plant(
                "a completion is taken without the lock",
                at("poll", unlocked()),
                elsewhere("internal.soft.CqRing", "take", pauseBefore("setRelease")),
                elsewhere("internal.soft.CqRing", "add", pauseBefore("setRelease")));
        plant("a poll writes an overrun back", "poll", unlocked(), writtenBack("overrun"));
        in("internal.soft.Responder");
        plant("a message is copied after its completion", "send", later("deliver", "received"));
        in(CALL_GATE);
        plant("a call looks whether there is a destroyer, then enters", "enter", decidedFirst());
        plant("a copy looks whether its memory is there, then begins", "tryEnter", decidedFirst());
        plant(
                "two destroy one object",
                at("tryBegin", decidedFirst()),
                elsewhere("internal.event.DestroyGate", "destroy", without("awaitCalls")));
        plant("a refused destroy forgets calls", "end", insteadOf(Integer.MAX_VALUE, 0));
        plant(
                "a call that meets a destroyer takes the object to be destroyed",
                "enterLater",
                answering("isDestroyed", 1));
        plant("the last call that leaves does not wake the destroyer", "leave", without("unpark"));
        in("internal.event.DestroyGate");
        plant("the end of a destroy wakes nobody", "destroy", without("ended"));
        in("internal.event.ExclusiveCallGate");
        plant("a destroyer does not wait for the call inside", "enterLater", setAnyway());
        plant("a call looks whose turn it is, then takes it", "enter", torn());
    }

    private void softQp() {
        in(SEND_QUEUE);
        plant(
                "two run one queue at once",
                at("signal", answering("getAndSet", 0)),
                at("work", unlocked(), pauseBefore("attempt")));
        plant(
                "that the peer is ready is forgotten after an attempt",
                "attempt",
                resetAfter("kicked", "execute"));
        plant(
                "a send looks at the state before it has the lock",
                "append",
                askedFirst("qp", "state"));
        in("internal.soft.RecvQueue");
        plant("a receive looks at the state before it is there", "post", askedFirst("qp", "state"));
        plant("buffers are added without the lock", "append", unlocked(), pauseBefore("publish"));
        plant(
                "a sender without a buffer does not look again",
                "peekOrRemember",
                without("peek").number(2));
        softSrq();
        in("internal.soft.SoftQp");
        plant("a queue pair is destroyed without the locks", "destroy", unlocked());
    }

    private void softSrq() {
        in(SOFT_SRQ);
        plant(
                "two reach one limit of a shared queue",
                at("used", unlocked()),
                at("reachesLimit", pauseBefore("limit")));
        plant("setting a limit does not look what is posted", "modify", without("reachesLimit"));
        plant(
                "a limit is set without the lock",
                at("modify", unlocked()),
                at("used", unlocked()),
                at("reachesLimit", pauseBefore("limit")));
        plant("requests are taken without the lock", "take", unlocked(), pauseBefore("first"));
        plant(
                "a sender looks for a request without the lock",
                "take",
                unlocked(),
                pauseBefore("starve"));
        plant("a post to a shared queue tells no sender", "postRecv", without("kickStarved"));
        plant(
                "a request that is given back is told to nobody",
                "giveBack",
                answering("isWanted", 0));
    }

    private void leadership() {
        in(LEADERSHIP, "led");
        plant("a thread that leaves the lead appoints nobody", "left", without("appointNext"));
        plant("a carrier is not given back", "end", without("giveBack"));
        plant("the thread that leads is not woken for the end", "end", without("wake"));
        plant("the thread that leads does not see the end", "leadUntilTheEnd", blindTo("ended"));
        plant(
                "a thread that is enlisted does not look again",
                "takeLead",
                without("appoint").number(2));
        plant("a thread that has to park is not enlisted", "takeLead", without("enlist"));
        plant("an unpark that a lock took is waited for", "lead", answering("mayPark", 1));
        plant("the only carrier is blocked", "lead", answering("mayBlock", 1));
        plant("two lead at once", "appoint", torn());
        plant("a leader that is given something stays", "wakeIfLeading", without("wake"));
        plant("a leader that was served goes to wait", "lead", without("isServed"));
        plant("an interrupt does not reach the kernel", "awaitEvents", without("begins"));
        plant("a failure is nobody's", "awaitEvents", notSet("failure"));
        plant("a thread that comes after a failure is told nothing", "lead", blindTo("failure"));
        plant(
                "a thread that leaves the lead to a thread is not enlisted",
                "leaveToThread",
                without("enlist"));
        plant(
                "the thread that leads tells nobody of a failure",
                "leadUntilTheEnd",
                without("left"));
        plant("an enlisted queue is not linked", "append", notSet("next"));
        in(LEADERSHIP);
        plant("a queue that has ended is enlisted", "enlist", blindTo("forgotten"));
        in("internal.event.CarrierWatch");
        plant(
                "the watch looks whether anybody leads, then ends",
                "end",
                notSet("on").number(1),
                pauseBefore("on"));
        in("internal.ffi.UseCount");
        plant("a user looks whether it is closed, then counts itself", "enter", torn());
        in("internal.ibverbs.NativeIds");
        plant("numbers are used again", "add", insteadOf(1, 0).number(3));
        in("internal.ibverbs.UnackedReads");
        plant("a reader looks whether there is a destroyer, then counts", "add", torn());
        in("internal.ibverbs.Poller");
        plant(
                "a leader takes wake-ups away before it waits",
                "await",
                tellFirst("await", "epoll", "drainWakes"));
        plant("a failed wait is taken for an interrupted one", "await", neverNegative("await"));
        in("internal.ibverbs.FdEventFeed");
        plant("a leader reads without the lock", "ready", unlocked(), pauseBefore("tryRead"));
        plant(
                "a fetch does not look whether the descriptor is open",
                "fetch",
                answering("isOpen", 1));
        plant(
                "a leader that disarms does not look again",
                "disarm",
                pauseBefore("modify"),
                answering("isAwaited", 0));
        plant(
                "a waiter looks whether it is armed, then counts",
                "join",
                earlier("arm", "incrementAndGet"));
        plant(
                "a queue looks for a failure, then is attached",
                "attach",
                earlier("endIfFailed", "add"));
        plant("a refused destroy leaves the descriptor disarmed", "reopen", without("arm"));
        in(QUEUE, "led");
        plant("the others in a queue are forgotten", "promote", without("enlist"));
        plant("a thread that is appointed sleeps on", "promote", without("unpark"));
        plant("a thread that leaves a queue keeps the lead", "leavePlace", without("left"));
        plant("a thread that waits never leads", "take", without("lead"));
    }

    /** The faults that follow are in this class, and these scenarios must find them. */
    private void turns() {
        in(TURNS, "turns");
        plant("a thread that closes the gate sends no keeper", "look", without("start"));
        plant("an envoy unparks nobody", "letIn", without("unparkAll"));
        plant("an envoy leaves the others alone", "letIn", without("nextEnvoy"));
        plant("an envoy that has run counts", "letIn", notSet("envoys"));
        plant("those that are unparked sleep on", "unparkAll", notSet("over"));
        plant("those that may go on are not unparked", "unparkAll", without("unpark"));
        plant("the gate is never opened", "keepGate", without("openGate"));
        plant("the gate stays closed", "openGate", notSet("gateClosed"));
        plant("no envoy comes when the gate is open", "openGate", without("nextEnvoy"));
        plant("a thread that was let in counts", "detach", notSet("listed"));
        plant("without memory nobody is told", "start", without("dissolve"));
        plant("without memory the others sleep on", "dissolve", without("unparkAll"));
        plant("without memory the gate stays closed", "dissolve", notSet("gateClosed"));
        plant("an envoy that was not started counts", "dissolve", notSet("envoys"));
        in(TURN, "turns");
        plant(
                "a thread that passes sleeps through an interrupt",
                "mayGoOn",
                answering("isInterrupted", 0));
        in(TURNS_GUARD, "turns");
        plant("a guard does not look", "lookUntilUnused", without("dissolve"));
        plant("nobody starts a guard", "use", without("start"));
        in(TURNS);
        plant(
                "threads join the list without the lock",
                elsewhere(TURNS, "append", pauseBefore("next")),
                at("look", unlocked()));
        in(TURNS_GUARD);
        plant(
                "a guard that ends does not look again",
                "run",
                pauseBefore("running"),
                answering("isInUse", 0));
    }

    private void in(String name, String... found) {
        className = name;
        scenarios = List.of(found);
    }

    private void plant(String name, String method, Change... changes) {
        plant(name, at(method, changes));
    }

    private void plant(String name, Edit[]... places) {
        List<Edit> edits = Stream.of(places).flatMap(Stream::of).toList();
        all.add(new Fault(name, scenarios, edits));
    }

    private Edit[] at(String method, Change... changes) {
        return elsewhere(className, method, changes);
    }

    private static Edit[] elsewhere(String name, String method, Change... changes) {
        return Stream.of(changes)
                .map(change -> new Edit(name, method, change))
                .toArray(Edit[]::new);
    }
}

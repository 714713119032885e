package io.loomverbs.schedule;

import static io.loomverbs.schedule.Changes.answering;
import static io.loomverbs.schedule.Changes.blindTo;
import static io.loomverbs.schedule.Changes.noLookAfterPush;
import static io.loomverbs.schedule.Changes.notSet;
import static io.loomverbs.schedule.Changes.setAnyway;
import static io.loomverbs.schedule.Changes.torn;
import static io.loomverbs.schedule.Changes.without;

import io.loomverbs.schedule.Fault.Change;

import java.util.ArrayList;
import java.util.List;

/** Faults that schedules must find, each a line that somebody might get wrong. */
final class Faults {
    private static final String LEDGER = "internal.event.Ledger";
    private static final String QUEUE = "internal.event.EventQueue";
    private static final String LEADERSHIP = "internal.event.Leadership";
    private static final String CQ_EVENTS = "internal.event.CqEvents";
    private static final String ASYNC_QUEUE = "internal.event.AsyncQueue";
    private static final String CQ = "CompletionQueue";
    private static final String SEND_QUEUE = "internal.soft.SendQueue";
    private static final String SOFT_CQ = "internal.soft.SoftCq";
    private static final long STATE = 3;

    private final List<Fault> all = new ArrayList<>();
    private String scenario;
    private String className;

    private Faults() {}

    static List<Fault> all() {
        Faults faults = new Faults();
        faults.delivery();
        faults.closing();
        faults.bookkeeping();
        faults.api();
        faults.device();
        faults.leadership();
        return List.copyOf(faults.all);
    }

    private void delivery() {
        in("delivery", QUEUE);
        plant("raise wakes nobody", "raiseShared", without("wakeAll"));
        plant("a waiter with an event in hand gives up", "cancel", blindTo("given"));
        plant("giving up without the lock", "cancel", without("lock").or(without("unlock")));
        plant("a CQ with more events is not listed again", "deliverListed", without("append"));
        plant("a listed CQ is listed twice", "handOver", blindTo("listed"));
        plant("relisting wakes nobody", "relist", without("wake"));
        plant("who arrives hands nothing on", "handListed", blindTo("firstWaiter"));
        plant("whom an arrival hands an event is not woken", "arrived", without("wakeAll"));
        plant("arriving without the lock", "arrived", without("lock").or(without("unlock")));
        plant("who raises does not look who waits", "raiseShared", blindTo("wanted"));
        plant("nobody says that he waits", "handWanted", notSet("wanted"));
        plant("events overwrite one another", "push", torn());
        plant("a second event of a CQ is forgotten", "raiseShared", without("list"));
        plant("nobody looks into the inbox", "deliverListed", without("takeIn"));
        plant("who joins leaves events where they are", "join", without("handWanted"));
        in("delivery", CQ_EVENTS);
        plant("a failed close does not list the CQ again", "close", without("relist"));
        in("interrupts", QUEUE);
        plant("an interrupt is swallowed", "take", answering("interrupted", 0));
        in("closing", QUEUE);
        plant("the end wakes nobody", "end", without("wakeAll"));
    }

    private void closing() {
        in("closers", LEDGER);
        plant("the last acknowledgement wakes no closer", "wakeIfLast", without("wakeClosers"));
        plant("the end of a close wakes no closer", "leaveClosing", without("wakeClosers"));
        plant("only the last closer is woken", "wakeClosers", blindTo("next"));
        plant("who leaves takes others along", "unlinkDead", blindTo("thread"));
        plant("no look between the push and the park", "await", noLookAfterPush());
        plant("acknowledgements overwrite one another", "tryAck", torn());
        plant("two closers begin", "beginClose", torn());
        plant("a close does not wait", "await", blindTo("word"));
        in("overacks", LEDGER);
        plant("claims overwrite one another", "tryAck", torn());
        plant("taking back a claim forgets the others", "tryAck", answering("settled", 0));
        in("closing", LEDGER);
        plant("closing does not stop deliveries", "tryDeliver", without(STATE));
        plant("a delivery overwrites a close", "tryDeliver", torn());
        in("async", LEDGER);
        plant("closing does not stop asynchronous events", "tryDeliverAsync", without(STATE));
        in("async", ASYNC_QUEUE);
        plant("an asynchronous event wakes nobody", "raise", without("wakeAll"));
        plant("asynchronous events are forgotten by a failed close", "recheck", without("wakeAll"));
        plant("the end of asynchronous events wakes nobody", "end", without("wakeAll"));
    }

    /** What goes wrong unseen at first. */
    private void bookkeeping() {
        in("delivery", QUEUE);
        plant("an arrival is not counted", "arrived", notSet("onTheirWay"));
        plant("one who is on the way is not counted", "hand", notSet("onTheirWay"));
        plant("who is late and takes an event arrives", "wasOnItsWay", blindTo("tookItself"));
        plant("an event taken stays pending", "deliverListed", notSet("pending"));
        plant("an event handed over stays pending", "handOver", notSet("pending"));
        plant("an event listed is not pending", "list", notSet("pending"));
        plant("what is taken off the list seems listed", "remove", notSet("listed"));
        plant("what is taken off the list keeps its links", "remove", notSet("previous"));
        plant("the end of the list is not moved", "remove", notSet("lastListed"));
        plant("what leaves the inbox keeps its link", "takeIn", notSet("below"));
        plant("what leaves the inbox seems to be there", "takeIn", without("leaveInbox"));
        in("await", QUEUE);
        plant("deliveries are not counted", "countDelivered", notSet("delivered"));
        in("closing", QUEUE);
        plant("a destroyed CQ has events", "drop", notSet("pending"));
        plant("the end leaves a first waiter", "end", notSet("firstWaiter"));
        plant("the end leaves a last waiter", "end", notSet("lastWaiter"));
        in("async", ASYNC_QUEUE);
        plant("an event received stays", "deliver", without("remove"));
        in("overacks", LEDGER);
        plant("a second look subtracts nothing", "ackWhatIsThere", answering("compareAndSet", 1));
        in("closers", LEDGER);
        plant("a closer that has left seems to wait", "await", notSet("thread"));
        in("churn", "Lifecycle");
        plant("a user that is gone keeps its name", "release", without("remove"));
        plant("a user that is gone is counted", "leave", without("getAndAdd"));
        in("messages", SEND_QUEUE);
        plant("a request that is done keeps its slot", "complete", without("advance"));
        in("messages", "internal.soft.CqRing");
        plant("a completion that is polled stays", "take", without("setRelease"));
        in("messages", "internal.soft.SlotRing");
        plant("a slot that is free stays", "advance", without("setRelease"));
        in("churn", "internal.soft.IdTable");
        plant("a number given back is not counted", "remove", notSet("freeCount"));
        plant("a number given out is not counted", "add", notSet("freeCount"));
        plant("what is removed is alive", "remove", notSet("live"));
    }

    private void api() {
        in("delivery", "CqEvent");
        plant("an event is acknowledged twice", "close", answering("compareAndSet", 1));
        in("closing", CQ);
        plant("a direct CQ's waiters are left behind", "endWaits", without("end"));
        in("closing", "CompletionChannel");
        plant("a channel's waiters are left behind", "close", without("end"));
        in("churn", "Lifecycle");
        plant("users get lost", "acquire", torn());
        plant("what has users is closed", "close", answering("compareAndSet", 1));
        in("refusals", "Lifecycle");
        plant("who was taken off the list waits on", "awaitCloser", blindTo("over"));
        plant("a closer tells nobody", "close", without("wakeAll"));
        plant("who was not seen stays in the list", "awaitCloser", without("wakeAll"));
        plant("a refused close stays one", "close", notSet("users"));
        plant("waiters overwrite one another", "awaitCloser", torn());
        in("self-close", "CqCloser");
        plant("a thread waits for itself", "keepWaiting", answering("isHeldHere", 0));
        in("await", CQ);
        plant("who leaves with the arm used up wakes nobody", "awaitNanos", without("passOn"));
        in("await", QUEUE);
        plant("an arm that was used up is relied on", "takeUnlessPassed", without(1));
        in("messages", CQ);
        plant("no poll after the arm", "awaitNanos", without("pollMore", 2));
        plant("a handler learns EINVAL from a close", "reqNotify", without("ensureNotDestroyed"));
        in("messages", "QueuePair");
        plant(
                "a user learns EINVAL from a close",
                "ensureNotDestroyed",
                answering("isDestroyed", 0));
        in("overrun", CQ);
        plant("an overrun tells no waiter", "failOn", without("end"));
    }

    private void device() {
        in("messages", SEND_QUEUE);
        plant("a signal to a runner is lost", "run", setAnyway());
        plant("everybody runs the queue", "signal", answering("getAndSet", 0));
        plant("two requests go into one slot", "append", without("lock").or(without("unlock")));
        in("messages", SOFT_CQ);
        plant("an arm has no effect", "reqNotify", answering("max", 0));
        in("overrun", SOFT_CQ);
        plant("queue pairs survive their CQ", "failUsers", without("forEach"));
    }

    private void leadership() {
        in("led", LEADERSHIP);
        plant("who leaves the lead appoints nobody", "left", without("appointNext"));
        plant("a carrier is not given back", "end", without("giveBack"));
        plant("the thread that leads is not woken for the end", "end", without("wake"));
        plant("the thread that leads does not see the end", "leadUntilTheEnd", blindTo("ended"));
        plant("who is enlisted does not look again", "takeLead", without("appoint", 2));
        plant("who has to park is not enlisted", "takeLead", without("enlist"));
        plant("an unpark that a lock took is waited for", "lead", answering("mayPark", 1));
        plant("the only carrier is blocked", "lead", answering("mayBlock", 1));
        plant("two lead at once", "appoint", torn());
        plant("a leader that is given something stays", "wakeIfLeading", without("wake"));
        plant("a leader that was served goes to wait", "lead", without("isServed"));
        plant("an interrupt does not reach the kernel", "awaitEvents", without("begins"));
        plant("a failure is nobody's", "awaitEvents", notSet("failure"));
        plant("who comes after a failure is told nothing", "lead", blindTo("failure"));
        plant(
                "who leaves the lead to a thread is not enlisted",
                "leaveToThread",
                without("enlist"));
        plant(
                "the thread that leads tells nobody of a failure",
                "leadUntilTheEnd",
                without("left"));
        plant("an enlisted queue is not linked", "append", notSet("nextEnlisted"));
        in("led", QUEUE);
        plant("the others in a queue are forgotten", "promote", without("enlist"));
        plant("who is appointed sleeps on", "promote", without("unpark"));
        plant("who leaves a queue keeps the lead", "leavePlace", without("left"));
        plant("who waits never leads", "take", without("lead"));
    }

    private void in(String scenarioName, String name) {
        scenario = scenarioName;
        className = name;
    }

    private void plant(String name, String method, Change change) {
        all.add(new Fault(name, scenario, className, method, change));
    }
}

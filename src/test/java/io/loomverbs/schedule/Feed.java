package io.loomverbs.schedule;

import static io.loomverbs.schedule.Schedule.check;

import io.loomverbs.ClosedException;
import io.loomverbs.CompletionChannel;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.CqEvent;
import io.loomverbs.WorkCompletions;

import java.time.Duration;

/** A CQ, its scripted device, and the model: how many events it raised and gave out. */
final class Feed {
    final CompletionQueue cq;
    final ScriptedCq device;
    private final CompletionChannel channel;
    int raised;
    int received;

    private Feed(
            ScriptedDevice device,
            Context context,
            CompletionChannel channel,
            CompletionChannel carrier) {
        this.channel = channel;
        this.cq =
                channel == null
                        ? context.createDirectCq(1, this, carrier, 0)
                        : context.createCq(1, this, channel, 0);
        this.device = device.lastCreated();
    }

    static Feed direct(ScriptedDevice device, Context context) {
        return new Feed(device, context, null, null);
    }

    /** Delivered directly, though fetched from a channel. */
    static Feed directOn(CompletionChannel carrier, ScriptedDevice device, Context context) {
        return new Feed(device, context, null, carrier);
    }

    static Feed on(CompletionChannel channel, ScriptedDevice device, Context context) {
        return new Feed(device, context, channel, null);
    }

    boolean isDirect() {
        return channel == null;
    }

    boolean isClosed() {
        try {
            cq.poll(WorkCompletions.allocate(1));
            return false;
        } catch (ClosedException e) {
            return true;
        }
    }

    /** What must hold when a close has said that it succeeded. */
    void checkClosed() {
        check(device.destroyed == 1, "closed, and destroyed " + device.destroyed + " times");
        check(
                cq.unackedEvents() == 0,
                "closed, and " + cq.unackedEvents() + " events unacknowledged");
        check(isClosed(), "closed, and can be polled");
    }

    /** What must hold when any call of close, the closer's or a later one's, has returned. */
    void checkWaitsEnd() {
        if (!isDirect()) {
            return;
        }
        try {
            check(cq.tryGetCqEvent() != null, "closed, but a waiter would wait");
            check(false, "closed, and there is an event");
        } catch (ClosedException e) {
            // As it must be.
        }
    }

    void raise() {
        raised++;
        device.raise();
    }

    CqEvent get() throws InterruptedException {
        return channel == null ? cq.getCqEvent() : channel.getCqEvent();
    }

    CqEvent get(Duration timeout) throws InterruptedException {
        return channel == null ? cq.getCqEvent(timeout) : channel.getCqEvent(timeout);
    }

    CqEvent tryGet() {
        return channel == null ? cq.tryGetCqEvent() : channel.tryGetCqEvent();
    }

    /** Counts an event that a thread has just received, and which keeps its CQ alive. */
    static Feed received(CqEvent event) {
        Feed feed = (Feed) event.cqContext();
        feed.received++;
        check(feed.received <= feed.raised, "an event came that no thread raised");
        check(feed.device.destroyed == 0, "an event came of a CQ that is destroyed");
        check(event.cq().unackedEvents() > 0, "an event was received and not counted");
        return feed;
    }

    /** Once everything is over: each event was received, once. */
    void checkAllReceived() {
        check(received == raised, raised + " events were raised, " + received + " received");
        check(tryGet() == null, "there is an event that no thread raised");
        check(cq.unackedEvents() == 0, cq.unackedEvents() + " events are unacknowledged");
    }
}

package io.loomverbs.tools.storm;

import io.loomverbs.CompletionChannel;
import io.loomverbs.Context;
import io.loomverbs.MemoryRegion;
import io.loomverbs.ProtectionDomain;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Two endpoints that are connected, or one that is connected to itself; destroyed and created again
 * any number of times. Guarded by a lock.
 */
final class Link {
    private final int first;
    private final int last;
    private final StormPlan plan;
    private final StormState state;
    private final Context context;
    private final ProtectionDomain pd;
    private final MemoryRegion memory;
    private final List<CompletionChannel> channels;
    private final ReentrantLock lock = new ReentrantLock();
    private final List<StormEndpoint> endpoints = new ArrayList<>();
    private final List<EndpointSlot> slots;
    private int incarnation;

    Link(
            int first,
            int last,
            StormPlan plan,
            StormState state,
            Context context,
            ProtectionDomain pd,
            MemoryRegion memory,
            List<CompletionChannel> channels,
            List<EndpointSlot> slots) {
        this.first = first;
        this.last = last;
        this.plan = plan;
        this.state = state;
        this.context = context;
        this.pd = pd;
        this.memory = memory;
        this.channels = channels;
        this.slots = slots;
    }

    /** Creates the CQs and, if these have handlers of their own, shows them to these. */
    void open() {
        lock.lock();
        try {
            incarnation++;
            for (int i = first; i <= last; i++) {
                CompletionChannel channel =
                        channels.isEmpty() ? null : channels.get(i % channels.size());
                StormEndpoint endpoint =
                        new StormEndpoint(i, incarnation, plan, state, context, channel, memory);
                endpoints.add(endpoint);
                if (channel == null) {
                    slots.get(i).take(endpoint);
                } else {
                    endpoint.cq().reqNotify(false);
                }
            }
        } finally {
            lock.unlock();
        }
    }

    /** Connects the endpoints. */
    void connect() {
        StormScratch scratch = state.scratchPool().borrow();
        lock.lock();
        try {
            StormEndpoint a = endpoints.getFirst();
            StormEndpoint b = endpoints.getLast();
            endpoints.forEach(endpoint -> endpoint.createQp(pd));
            a.connect(b, scratch);
            if (a != b) {
                b.connect(a, scratch);
            }
        } finally {
            lock.unlock();
            state.scratchPool().giveBack(scratch);
        }
    }

    /** Sends the first messages. */
    void start() {
        StormScratch scratch = state.scratchPool().borrow();
        lock.lock();
        try {
            endpoints.getFirst().kickOff(scratch);
        } finally {
            lock.unlock();
            state.scratchPool().giveBack(scratch);
        }
    }

    /** Destroys everything under load, and creates it again. */
    void renew() {
        lock.lock();
        try {
            if (state.stopping()) {
                return;
            }
            int destroyed = endpoints.size();
            long dropped = close();
            state.tally().dropped.add(dropped);
            state.tally().destroyed.add(destroyed);
            open();
            connect();
            start();
        } finally {
            lock.unlock();
        }
    }

    /** Destroys everything; returns how many messages were under way. */
    long close() {
        lock.lock();
        try {
            endpoints.forEach(StormEndpoint::die);
            endpoints.forEach(StormEndpoint::closeQp);
            endpoints.forEach(StormEndpoint::closeCq);
            long underWay = underWay();
            endpoints.clear();
            return underWay;
        } finally {
            lock.unlock();
        }
    }

    /** No more messages are sent from now on. */
    void stop(long now) {
        lock.lock();
        try {
            endpoints.forEach(endpoint -> endpoint.stop(now));
        } finally {
            lock.unlock();
        }
    }

    /** How many messages were sent and have not arrived. */
    long underWay() {
        lock.lock();
        try {
            return endpoints.stream().mapToLong(StormEndpoint::underWay).sum();
        } finally {
            lock.unlock();
        }
    }

    /** How many events were received and are not acknowledged. */
    long unacked() {
        lock.lock();
        try {
            return endpoints.stream().mapToLong(endpoint -> endpoint.cq().unackedEvents()).sum();
        } finally {
            lock.unlock();
        }
    }
}

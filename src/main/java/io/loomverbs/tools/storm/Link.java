package io.loomverbs.tools.storm;

import io.loomverbs.CompletionChannel;
import io.loomverbs.Context;
import io.loomverbs.MemoryRegion;
import io.loomverbs.ProtectionDomain;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Two stations that are connected, or one that is connected to itself; destroyed and created again
 * any number of times. Guarded by a lock.
 */
final class Link {
    private final int first;
    private final int last;
    private final StormPlan plan;
    private final Books books;
    private final Context context;
    private final ProtectionDomain pd;
    private final MemoryRegion memory;
    private final List<CompletionChannel> channels;
    private final ReentrantLock lock = new ReentrantLock();
    private final List<Station> stations = new ArrayList<>();
    private final List<Seat> seats;
    private int incarnation;

    Link(
            int first,
            int last,
            StormPlan plan,
            Books books,
            Context context,
            ProtectionDomain pd,
            MemoryRegion memory,
            List<CompletionChannel> channels,
            List<Seat> seats) {
        this.first = first;
        this.last = last;
        this.plan = plan;
        this.books = books;
        this.context = context;
        this.pd = pd;
        this.memory = memory;
        this.channels = channels;
        this.seats = seats;
    }

    /** Creates the CQs and, if these have handlers of their own, shows them to these. */
    void open() {
        lock.lock();
        try {
            incarnation++;
            for (int i = first; i <= last; i++) {
                CompletionChannel channel =
                        channels.isEmpty() ? null : channels.get(i % channels.size());
                Station station =
                        new Station(i, incarnation, plan, books, context, channel, memory);
                stations.add(station);
                if (channel == null) {
                    seats.get(i).take(station);
                } else {
                    station.cq().reqNotify(false);
                }
            }
        } finally {
            lock.unlock();
        }
    }

    /** Connects the stations. */
    void connect() {
        Bench bench = books.benches().borrow();
        lock.lock();
        try {
            Station a = stations.getFirst();
            Station b = stations.getLast();
            stations.forEach(station -> station.createQp(pd));
            a.connect(b, bench);
            if (a != b) {
                b.connect(a, bench);
            }
        } finally {
            lock.unlock();
            books.benches().giveBack(bench);
        }
    }

    /** Sends the first messages. */
    void start() {
        Bench bench = books.benches().borrow();
        lock.lock();
        try {
            stations.getFirst().kickOff(bench);
        } finally {
            lock.unlock();
            books.benches().giveBack(bench);
        }
    }

    /** Destroys everything under load, and creates it again. */
    void renew() {
        lock.lock();
        try {
            if (books.stopping()) {
                return;
            }
            int destroyed = stations.size();
            long dropped = close();
            books.tally().dropped.add(dropped);
            books.tally().destroyed.add(destroyed);
            open();
            connect();
            start();
        } finally {
            lock.unlock();
        }
    }

    /** Destroys everything; answers how many messages were under way. */
    long close() {
        lock.lock();
        try {
            stations.forEach(Station::die);
            stations.forEach(Station::closeQp);
            stations.forEach(Station::closeCq);
            long underWay = underWay();
            stations.clear();
            return underWay;
        } finally {
            lock.unlock();
        }
    }

    /** No more messages are sent from now on. */
    void stop(long now) {
        lock.lock();
        try {
            stations.forEach(station -> station.stop(now));
        } finally {
            lock.unlock();
        }
    }

    /** How many messages were sent and have not arrived. */
    long underWay() {
        lock.lock();
        try {
            return stations.stream().mapToLong(Station::underWay).sum();
        } finally {
            lock.unlock();
        }
    }

    /** How many events were received and are not acknowledged. */
    long unacked() {
        lock.lock();
        try {
            return stations.stream().mapToLong(station -> station.cq().unackedEvents()).sum();
        } finally {
            lock.unlock();
        }
    }
}

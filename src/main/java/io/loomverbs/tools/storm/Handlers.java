package io.loomverbs.tools.storm;

import io.loomverbs.ClosedException;
import io.loomverbs.CompletionChannel;
import io.loomverbs.CqEvent;

/** The blocking handlers of a storm, each sequential code on its own virtual thread. */
final class Handlers {
    private Handlers() {}

    /** Waits for the events of one CQ after another, each until it is closed. */
    static Thread direct(int handler, Seat seat, Books books) {
        return Thread.ofVirtual()
                .name("handler-" + handler)
                .start(
                        () -> {
                            try {
                                Station station = seat.next(null);
                                while (station != null) {
                                    serve(station, books);
                                    while (awaitOwn(station, books)) {}
                                    station = seat.next(station);
                                }
                            } catch (InterruptedException | RuntimeException | Error e) {
                                books.failures().add("handler " + handler, e);
                            }
                        });
    }

    private static boolean awaitOwn(Station station, Books books) {
        try (CqEvent event = station.cq().getCqEvent()) {
            serve(station.index, event, books);
            return true;
        } catch (ClosedException e) {
            return false;
        } catch (InterruptedException | RuntimeException | Error e) {
            books.failures().add("the handler of " + station.cq(), e);
            return false;
        }
    }

    /** Waits for the events of a channel, and serves whichever CQ they name, until it is closed. */
    static Thread onChannel(int handler, CompletionChannel channel, Books books) {
        return Thread.ofVirtual()
                .name("handler-" + handler)
                .start(
                        () -> {
                            while (awaitAny(handler, channel, books)) {}
                        });
    }

    private static boolean awaitAny(int handler, CompletionChannel channel, Books books) {
        try (CqEvent event = channel.getCqEvent()) {
            serve(handler, event, books);
            return true;
        } catch (ClosedException e) {
            return false;
        } catch (InterruptedException | RuntimeException | Error e) {
            books.failures().add("a handler of " + channel, e);
            return false;
        }
    }

    private static void serve(int handler, CqEvent event, Books books) {
        if (!(event.cqContext() instanceof Station station)) {
            throw new IllegalStateException("an event of a CQ that is not of this storm");
        }
        books.tally().event(handler, station.index);
        serve(station, books);
    }

    private static void serve(Station station, Books books) {
        Bench bench = books.benches().borrow();
        try {
            station.serve(bench);
        } finally {
            books.benches().giveBack(bench);
        }
    }
}

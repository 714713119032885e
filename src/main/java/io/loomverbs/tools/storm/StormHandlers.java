package io.loomverbs.tools.storm;

import io.loomverbs.ClosedException;
import io.loomverbs.CompletionChannel;
import io.loomverbs.CqEvent;
import io.loomverbs.WorkCompletions;

/** The blocking handlers of a storm, each sequential code on its own virtual thread. */
final class StormHandlers {
    private StormHandlers() {}

    /** Completions that a handler takes at once: one that waits owns little. */
    private static final int BATCH = 4;

    /**
     * Waits for one CQ after another, each until it is closed.
     *
     * @param awaits whether with await, else with getCqEvent
     */
    static Thread direct(int handler, EndpointSlot slot, boolean awaits, StormState state) {
        return Thread.ofVirtual()
                .name("handler-" + handler)
                .start(
                        () -> {
                            try {
                                WorkCompletions batch =
                                        WorkCompletions.allocate(awaits ? BATCH : 1);
                                StormEndpoint endpoint = slot.next(null);
                                while (endpoint != null) {
                                    if (awaits) {
                                        while (awaitSome(endpoint, batch, state)) {}
                                    } else {
                                        serve(handler, endpoint, state);
                                        while (awaitOwn(endpoint, state)) {}
                                    }
                                    endpoint = slot.next(endpoint);
                                }
                            } catch (InterruptedException | RuntimeException | Error e) {
                                state.failures().add("handler " + handler, e);
                            }
                        });
    }

    private static boolean awaitSome(
            StormEndpoint endpoint, WorkCompletions batch, StormState state) {
        try {
            endpoint.cq().await(batch);
            state.tally().event(endpoint.index, endpoint.index);
            StormScratch scratch = state.scratchPool().borrow();
            try {
                endpoint.serveAwaited(batch, scratch);
            } finally {
                state.scratchPool().giveBack(scratch);
            }
            return true;
        } catch (ClosedException e) {
            return false;
        } catch (InterruptedException | RuntimeException | Error e) {
            state.failures().add("the handler of " + endpoint.cq(), e);
            return false;
        }
    }

    private static boolean awaitOwn(StormEndpoint endpoint, StormState state) {
        try (CqEvent event = endpoint.cq().getCqEvent()) {
            serve(endpoint.index, event, state);
            return true;
        } catch (ClosedException e) {
            return false;
        } catch (InterruptedException | RuntimeException | Error e) {
            state.failures().add("the handler of " + endpoint.cq(), e);
            return false;
        }
    }

    /** Waits for the events of a channel, and serves whichever CQ they name, until it is closed. */
    static Thread onChannel(int handler, CompletionChannel channel, StormState state) {
        return Thread.ofVirtual()
                .name("handler-" + handler)
                .start(
                        () -> {
                            while (awaitAny(handler, channel, state)) {}
                        });
    }

    private static boolean awaitAny(int handler, CompletionChannel channel, StormState state) {
        try (CqEvent event = channel.getCqEvent()) {
            serve(handler, event, state);
            return true;
        } catch (ClosedException e) {
            return false;
        } catch (InterruptedException | RuntimeException | Error e) {
            state.failures().add("a handler of " + channel, e);
            return false;
        }
    }

    private static void serve(int handler, CqEvent event, StormState state) {
        if (!(event.cqContext() instanceof StormEndpoint endpoint)) {
            throw new IllegalStateException("an event of a CQ that is not of this storm");
        }
        state.tally().event(handler, endpoint.index);
        serve(handler, endpoint, state);
    }

    private static void serve(int handler, StormEndpoint endpoint, StormState state) {
        StormScratch scratch = state.scratchPool().borrow();
        try {
            endpoint.serve(handler, scratch);
        } finally {
            state.scratchPool().giveBack(scratch);
        }
    }
}

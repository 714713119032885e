package io.loomverbs.tools.storm;

import io.loomverbs.ClosedException;
import io.loomverbs.CompletionChannel;
import io.loomverbs.CqEvent;

/** The blocking handlers of a storm, each sequential code on its own virtual thread. */
final class StormHandlers {
    private StormHandlers() {}

    /** Waits for the events of one CQ after another, each until it is closed. */
    static Thread direct(int handler, EndpointSlot slot, StormState state) {
        return Thread.ofVirtual()
                .name("handler-" + handler)
                .start(
                        () -> {
                            try {
                                StormEndpoint endpoint = slot.next(null);
                                while (endpoint != null) {
                                    serve(endpoint, state);
                                    while (awaitOwn(endpoint, state)) {}
                                    endpoint = slot.next(endpoint);
                                }
                            } catch (InterruptedException | RuntimeException | Error e) {
                                state.failures().add("handler " + handler, e);
                            }
                        });
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
        serve(endpoint, state);
    }

    private static void serve(StormEndpoint endpoint, StormState state) {
        StormScratch scratch = state.scratchPool().borrow();
        try {
            endpoint.serve(scratch);
        } finally {
            state.scratchPool().giveBack(scratch);
        }
    }
}

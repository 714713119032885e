package io.loomverbs.blocking;

/** The goal that a request no longer waits for a place in the send queue. */
final class Posted implements Goal {
    private final Request request;

    Posted(Request request) {
        this.request = request;
    }

    @Override
    public String what() {
        return "a place in the send queue, for " + request.what();
    }

    @Override
    public boolean isReached() {
        return !request.isQueued() || request.isDone();
    }

    @Override
    public void enlist(Parked waiter) {
        request.enlist(waiter);
    }

    @Override
    public void leave(Parked waiter) {
        request.leave(waiter);
    }

    @Override
    public boolean isNear() {
        return request.isNear();
    }
}

package io.loomverbs;

import io.loomverbs.internal.device.AsyncListener;
import io.loomverbs.internal.device.CqListener;
import io.loomverbs.internal.device.DeviceOps.PortListener;

import java.lang.ref.WeakReference;

/**
 * Listeners of tracked objects. The device keeps its listener as long as its own object is open. If
 * that kept the program's object as well, a dropped one would never be noticed.
 */
final class WeakListeners {
    private WeakListeners() {}

    /** Events of a CQ that the program has dropped have no receiver. */
    static CqListener of(CqDelivery delivery, AsyncEvents events) {
        return new OfCq(delivery, events);
    }

    /**
     * @param raise does not refer to {@code owner}
     */
    static <T> AsyncListener of(T owner, Raise<T> raise, AsyncEvents events) {
        return new OfObject<>(owner, raise, events);
    }

    static PortListener of(AsyncEvents events) {
        WeakReference<AsyncEvents> context = new WeakReference<>(events);
        return (type, port) -> raise(context, type, port);
    }

    /** Raises an asynchronous event of an object. */
    @FunctionalInterface
    interface Raise<T> {
        void asyncEvent(T owner, int type);
    }

    /** The event is not lost, but no longer names its object. */
    private static void raise(WeakReference<AsyncEvents> context, int type, int port) {
        AsyncEvents events = context.get();
        if (events != null) {
            events.raisePort(type, port);
        }
    }

    private static final class OfCq extends WeakReference<CqDelivery> implements CqListener {
        private final WeakReference<AsyncEvents> context;

        OfCq(CqDelivery delivery, AsyncEvents events) {
            super(delivery);
            this.context = new WeakReference<>(events);
        }

        @Override
        public void completionEvent() {
            CqDelivery delivery = get();
            if (delivery != null) {
                delivery.completionEvent();
            }
        }

        @Override
        public void asyncEvent(int type) {
            CqDelivery delivery = get();
            if (delivery != null) {
                delivery.asyncEvent(type);
            } else {
                raise(context, type, 0);
            }
        }

        @Override
        public void deviceLost() {
            CqDelivery delivery = get();
            if (delivery != null) {
                delivery.deviceLost();
            }
        }
    }

    private static final class OfObject<T> extends WeakReference<T> implements AsyncListener {
        private final Raise<T> raise;
        private final WeakReference<AsyncEvents> context;

        OfObject(T owner, Raise<T> raise, AsyncEvents events) {
            super(owner);
            this.raise = raise;
            this.context = new WeakReference<>(events);
        }

        @Override
        public void asyncEvent(int type) {
            T owner = get();
            if (owner != null) {
                raise.asyncEvent(owner, type);
            } else {
                WeakListeners.raise(context, type, 0);
            }
        }
    }
}

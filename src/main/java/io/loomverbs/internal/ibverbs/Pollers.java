package io.loomverbs.internal.ibverbs;

import com.google.errorprone.annotations.concurrent.GuardedBy;

import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.device.Setting;
import io.loomverbs.internal.event.Carriers;
import io.loomverbs.internal.event.SchedulerCarriers;
import io.loomverbs.internal.ffi.Epoll;

import org.jspecify.annotations.Nullable;

import java.util.function.IntFunction;

/**
 * The pollers, which contexts use in turn. A poller is created when a context needs it, and closed
 * with its last context.
 */
final class Pollers {
    /** The instance of the process; the property is read when the first device is opened. */
    @GuardedBy("Pollers.class")
    private static @Nullable Pollers shared;

    private final IntFunction<Poller> creation;

    @GuardedBy("this")
    private final @Nullable Poller[] all;

    @GuardedBy("this")
    private int next;

    /**
     * @param creation makes a poller, given its number
     */
    Pollers(int count, IntFunction<Poller> creation) {
        this.all = new @Nullable Poller[count];
        this.creation = creation;
    }

    /** Lets a platform thread lead, never a virtual one. */
    static final class NoCarriers implements Carriers {
        @Override
        public Loan ask(Borrower borrower) {
            return Loan.REFUSED;
        }

        @Override
        public void giveBack() {
            // There is nothing to give back.
        }
    }

    /**
     * For a context that is opened: its channels and asynchronous events share one. The context is
     * to {@link Poller#release} it.
     *
     * @throws IllegalArgumentException if the property is not a number of pollers
     */
    static Poller ofNextContext() {
        Pollers pollers;
        synchronized (Pollers.class) {
            if (shared == null) {
                shared = new Pollers(Setting.POLLERS.number(), Pollers::create);
            }
            pollers = shared;
        }
        return pollers.next();
    }

    private static Poller create(int number) {
        Carriers carriers =
                Setting.POLLER_THREADS.isTrue() ? new NoCarriers() : new SchedulerCarriers();
        try {
            return new Poller(carriers, "loomverbs-poller-" + number);
        } catch (Epoll.Refused e) {
            throw new DeviceException(e.errno(), String.valueOf(e.getMessage()));
        }
    }

    /** The value of the property; 1 if it is not set. */
    static int count(@Nullable String value) {
        return Setting.POLLERS.parse(value);
    }

    synchronized Poller next() {
        int i = next;
        Poller poller = all[i];
        if (poller == null || !poller.tryRetain()) {
            poller = creation.apply(i);
            all[i] = poller;
        }
        next = (i + 1) % all.length;
        return poller;
    }
}

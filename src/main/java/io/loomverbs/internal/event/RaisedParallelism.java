package io.loomverbs.internal.event;

import org.jspecify.annotations.Nullable;

/**
 * Records how much this library has added to the parallelism of virtual threads. The scheduler
 * belongs to the JVM, which may have several copies of this class, in different class loaders. So
 * the record is a system property and the lock an interned string: all copies share both.
 *
 * <p>Each copy takes back exactly what it added, unless other code has set the parallelism
 * meanwhile: then it leaves the parallelism alone. Other code may also restore earlier system
 * properties, as test frameworks do. So each copy remembers what it has set, and takes that back
 * even without a record. And if a record says that the present value is the one before all raises,
 * the record is dropped. A change by other code in the same instant may be overwritten: the JDK has
 * no compare-and-set for it.
 */
final class RaisedParallelism {
    /** The system property: {@code "2 to 4"} says that two were added, which made it four. */
    static final String PROPERTY = "loomverbs.raisedParallelism";

    private final Scheduler scheduler;
    private final String property;

    /** The same object for all copies that use the same property. */
    private final Object lock;

    /** The value that this copy set last. Under the lock. */
    private int own;

    /** How many raises of this copy are not taken back. Under the lock. */
    private int raises;

    /** The contents of the property. */
    private record Raised(int by, int to) {
        private static final Raised NOTHING = new Raised(0, 0);

        static Raised parse(@Nullable String text) {
            if (text == null) {
                return NOTHING;
            }
            String[] numbers = text.split(" to ", -1);
            try {
                return new Raised(Integer.parseInt(numbers[0]), Integer.parseInt(numbers[1]));
            } catch (RuntimeException e) { // other code has written there
                return new Raised(1, 0);
            }
        }

        /** The text for the property; null if it is not needed. */
        @Nullable String text() {
            return by == 0 ? null : by + " to " + to;
        }
    }

    /**
     * @param property that of the whole JVM; another one in tests
     */
    RaisedParallelism(Scheduler scheduler, String property) {
        this.scheduler = scheduler;
        this.property = property;
        this.lock = property.intern();
    }

    /**
     * Raises it by one.
     *
     * @return null, or why it cannot be raised
     */
    @Nullable String raise() {
        synchronized (lock) {
            int now = scheduler.parallelism();
            Raised raised = read();
            if (raised.by > 0 && raised.to != now) {
                if (raised.to - raised.by != now) {
                    return "other code has changed the parallelism of virtual threads";
                }
                raised = Raised.NOTHING; // all was taken back, or undone by other code
                raises = 0;
            }
            try {
                scheduler.parallelism(now + 1);
            } catch (RuntimeException e) { // at the limit, or not supported
                return "the parallelism of virtual threads cannot be raised: " + e;
            } catch (OutOfMemoryError e) { // it may be raised, and no carrier could be started
                if (scheduler.parallelism() == now + 1) {
                    set(now);
                }
                return "there is no memory for another carrier";
            }
            boolean written = false;
            try {
                write(new Raised(raised.by + 1, now + 1).text());
                written = true;
                own = now + 1;
                raises++;
            } finally { // a raise that is not recorded would never be taken back
                if (!written) {
                    set(now);
                }
            }
            return null;
        }
    }

    /** Takes back what one {@link #raise} has added. */
    void lower() {
        synchronized (lock) {
            Raised raised = read();
            int now = scheduler.parallelism();
            if (raised.by == 0) { // other code has cleared or restored the system properties
                if (raises > 0 && own == now) {
                    lowerFrom(now);
                }
            } else {
                // Both texts first: what is taken back must be recorded, though memory runs out.
                String taken = new Raised(raised.by - 1, raised.to - 1).text();
                String left = new Raised(raised.by - 1, raised.to).text();
                write(now == raised.to && lowerFrom(now) ? taken : left);
            }
            raises = Math.max(0, raises - 1);
        }
    }

    private boolean lowerFrom(int now) {
        boolean done = set(now - 1);
        if (done) {
            own = now - 1;
        }
        return done;
    }

    /** Whether the parallelism is still what was set here. */
    boolean isUnchanged() {
        synchronized (lock) {
            int now = scheduler.parallelism();
            Raised raised = read();
            return raised.by == 0 ? raises > 0 && own == now : raised.to == now;
        }
    }

    private boolean set(int n) {
        try {
            scheduler.parallelism(n);
        } catch (OutOfMemoryError e) {
            // It is set; the JDK then tried to start a carrier that is not needed now.
        } catch (RuntimeException e) {
            return false;
        }
        return true;
    }

    private Raised read() {
        return Raised.parse(System.getProperty(property));
    }

    private void write(@Nullable String text) {
        if (text != null) {
            System.setProperty(property, text);
        } else {
            System.clearProperty(property);
        }
    }
}

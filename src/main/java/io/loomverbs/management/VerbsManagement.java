package io.loomverbs.management;

import io.loomverbs.internal.device.LoadedClasses;

import java.lang.management.ManagementFactory;
import java.util.concurrent.atomic.AtomicBoolean;

import javax.management.InstanceAlreadyExistsException;
import javax.management.InstanceNotFoundException;
import javax.management.JMException;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import javax.management.StandardMBean;

/**
 * A registration of {@link VerbsMXBean} at the platform's MBean server, until it is closed.
 *
 * <p>The first of several registrations registers the MXBean, the close of the last one unregisters
 * it. Its name is {@code io.loomverbs:type=Verbs}. If that is taken, by a copy of the library in
 * another class loader, {@code copy=2} is added, and so on: {@code io.loomverbs:type=Verbs,*} finds
 * all.
 *
 * <p>Safe for use by any number of threads. Nothing here waits for long.
 *
 * @since 0.1.0
 */
public final class VerbsManagement implements AutoCloseable {
    static {
        LoadedClasses.besides(VerbsManagement.class);
    }

    private static final String NAME = "io.loomverbs:type=Verbs";
    private static final int MOST_COPIES = 1000;
    private static final Object LOCK = new Object();

    /** How many registrations are open. Under the lock, as the name. */
    private static int open;

    @SuppressWarnings("NullAway.Init") // written before the first registration is open
    private static ObjectName registered;

    private final AtomicBoolean isClosed = new AtomicBoolean();
    private final ObjectName name;

    private VerbsManagement(ObjectName name) {
        this.name = name;
    }

    /**
     * Registers the MXBean, unless it is.
     *
     * @return the registration, to be closed
     * @throws IllegalStateException if the MBean server refuses, as with a security policy
     */
    public static VerbsManagement register() {
        synchronized (LOCK) {
            if (open == 0) {
                registered = registerFirst();
            }
            open++;
            return new VerbsManagement(registered);
        }
    }

    private static ObjectName registerFirst() {
        MBeanServer server = ManagementFactory.getPlatformMBeanServer();
        try {
            StandardMBean bean = new StandardMBean(new OpenContexts(), VerbsMXBean.class, true);
            for (int copy = 1; copy <= MOST_COPIES; copy++) {
                ObjectName name = new ObjectName(copy == 1 ? NAME : NAME + ",copy=" + copy);
                try {
                    return server.registerMBean(bean, name).getObjectName();
                } catch (InstanceAlreadyExistsException e) {
                    // The next one.
                }
            }
        } catch (JMException e) {
            throw new IllegalStateException(NAME + " was not registered", e);
        }
        throw new IllegalStateException(
                NAME + " was not registered: there are " + MOST_COPIES + " of that name");
    }

    /**
     * The name that the MXBean is registered by.
     *
     * @return the name, also after the close
     */
    public ObjectName objectName() {
        return name;
    }

    /**
     * Ends the registration, and unregisters the MXBean if this was the last one. Closing again
     * does nothing, and so does closing after another thread has unregistered the MXBean by its
     * name.
     *
     * @throws IllegalStateException if the MBean server refuses
     */
    @Override
    public void close() {
        if (!isClosed.compareAndSet(false, true)) {
            return;
        }
        synchronized (LOCK) {
            open--;
            if (open > 0) {
                return;
            }
            try {
                ManagementFactory.getPlatformMBeanServer().unregisterMBean(name);
            } catch (InstanceNotFoundException e) {
                // Another thread has unregistered it.
            } catch (JMException e) {
                throw new IllegalStateException(name + " was not unregistered", e);
            }
        }
    }

    /** The name that the MXBean is registered by. */
    @Override
    public String toString() {
        return "registration of " + name;
    }
}

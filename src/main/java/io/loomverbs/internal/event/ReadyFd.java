package io.loomverbs.internal.event;

/**
 * A file descriptor of this process that {@code poll(2)} finds readable while it is raised. The
 * caller lets no call come after {@link #close}.
 */
public interface ReadyFd {
    /** Its number. */
    int number();

    /** Makes it readable. */
    void raise();

    /** Makes it unreadable. */
    void lower();

    /** Gives the number back to the system. */
    void close();
}

package io.loomverbs.internal.device;

import org.jspecify.annotations.Nullable;

import java.util.List;

/**
 * What the test kit must know about objects of the API, and the API does not export. The API
 * provides it as its classes are initialized, and so before there is an object to ask about.
 */
public abstract class ApiObjects {
    private static volatile @Nullable ApiObjects provided;

    protected ApiObjects() {}

    /** Called by the API. */
    public static void provide(ApiObjects objects) {
        provided = objects;
    }

    /** The instance that the API has provided; null if no context was ever opened. */
    public static @Nullable ApiObjects get() {
        return provided;
    }

    /** The ops of an open context; throws the API's exception if it is closed. */
    public abstract ContextOps opsOfContext(Object context);

    /** The ops of an open queue pair; throws the API's exception if it is closed. */
    public abstract QpOps opsOfQp(Object qp);

    /** The ops of an open CQ; throws the API's exception if it is closed. */
    public abstract CqOps opsOfCq(Object cq);

    /** The open contexts, in the order in which they were opened. */
    public abstract List<Object> openContexts();

    /** The open objects of a context, each before those that it uses. */
    public abstract List<Object> openIn(Object context);

    /** The asynchronous events of a context that were received and not acknowledged. */
    public abstract List<Object> unackedAsyncEvents(Object context);
}

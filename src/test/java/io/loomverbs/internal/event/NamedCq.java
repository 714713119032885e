package io.loomverbs.internal.event;

/** The events of a CQ that is only a name. */
final class NamedCq extends QueuedCq {
    private final Object name;

    NamedCq(EventQueue queue, Object name) {
        super(queue);
        this.name = name;
    }

    @Override
    public String toString() {
        return name.toString();
    }
}

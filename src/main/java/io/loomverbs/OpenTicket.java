package io.loomverbs;

import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;

/** Stands for an open object that is tracked, and knows its name when the object is gone. */
final class OpenTicket extends WeakReference<Object> {
    private final Place created = Place.here();
    private final Class<?> type;

    /** Written once, before the ticket is among the open ones. */
    private String name = "";

    OpenTicket(Object owner, ReferenceQueue<Object> dropped) {
        super(owner, dropped);
        this.type = owner.getClass();
    }

    void named(String text) {
        name = text;
    }

    /** The end of a sentence: the thread that created it, and where. */
    String origin() {
        return "created by " + created;
    }

    /** The class of the object. */
    Class<?> type() {
        return type;
    }

    /** The object's name. */
    @Override
    public String toString() {
        return name;
    }
}

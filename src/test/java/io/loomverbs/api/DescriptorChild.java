package io.loomverbs.api;

import io.loomverbs.CompletionChannel;
import io.loomverbs.Context;
import io.loomverbs.CqGroup;
import io.loomverbs.Verbs;

/** A JVM of its own, which asks for descriptors. */
final class DescriptorChild {
    private DescriptorChild() {}

    private interface Ask {
        int fd();
    }

    private static void ask(Ask ask) {
        try {
            System.out.println(ask.fd() >= 0 ? "a descriptor" : "a wrong number");
        } catch (UnsupportedOperationException e) {
            System.out.println(e.getMessage());
        }
    }

    /** Prints what comes of asking a channel and a group; both stay usable. */
    public static void main(String[] args) {
        try (Context context = Verbs.device("soft0").open();
                CompletionChannel channel = context.createCompChannel();
                CqGroup group = CqGroup.create()) {
            ask(channel::fd);
            ask(group::fd);
            System.out.println(channel.tryGetCqEvent() + " " + group.size());
        }
    }
}

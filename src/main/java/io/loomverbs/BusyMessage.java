package io.loomverbs;

import io.loomverbs.internal.device.Errno;

import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Names what keeps an object from being closed: how many of each kind, and the first ones by name.
 */
final class BusyMessage {
    private static final int NAMED = 3;

    /** The oldest first: by their numbers. A number with more digits is larger. */
    private static final Comparator<Object> BY_NUMBER =
            Comparator.comparing(
                    BusyMessage::numbered,
                    Comparator.comparingInt(String::length)
                            .thenComparing(Comparator.naturalOrder()));

    /** In the order in which they are usually closed. */
    private enum Kind {
        QUEUE_PAIR("queue pair", QueuePair.class),
        ADDRESS_HANDLE("address handle", AddressHandle.class),
        MEMORY_WINDOW("memory window", MemoryWindow.class),
        MEMORY_REGION("memory region", MemoryRegion.class),
        SHARED_RECEIVE_QUEUE("shared receive queue", SharedReceiveQueue.class),
        CQ("CQ", CompletionQueue.class),
        CHANNEL("completion channel", CompletionChannel.class),
        PROTECTION_DOMAIN("protection domain", ProtectionDomain.class);

        private final String noun;
        private final Class<?> type;

        Kind(String noun, Class<?> type) {
            this.noun = noun;
            this.type = type;
        }

        static Kind of(Object user) {
            Class<?> type = user instanceof OpenTicket dropped ? dropped.type() : user.getClass();
            return Arrays.stream(values())
                    .filter(kind -> kind.type == type)
                    .findAny()
                    .orElseThrow();
        }
    }

    private BusyMessage() {}

    /** Why {@code owner} was not closed by {@code verb}. */
    static VerbsException refusal(String verb, Object owner, Lifecycle usage) {
        Collection<Object> users = usage.openUsers();
        String by =
                users.isEmpty()
                        ? "something that another thread is just creating or closing: try again"
                        : list(users)
                                + (users.size() == 1 ? ": close it" : ": close them")
                                + " first";
        return new VerbsException(verb, Errno.EBUSY, owner + " is used by " + by);
    }

    private static String list(Collection<Object> users) {
        Map<Kind, List<Object>> byKind =
                users.stream()
                        .collect(
                                Collectors.groupingBy(Kind::of, TreeMap::new, Collectors.toList()));
        StringBuilder text = new StringBuilder();
        int left = byKind.size();
        for (Map.Entry<Kind, List<Object>> entry : byKind.entrySet()) {
            text.append(Wording.count(entry.getValue().size(), entry.getKey().noun));
            text.append(" (").append(names(entry.getValue())).append(')');
            left--;
            text.append(left == 0 ? "" : left == 1 ? " and " : ", ");
        }
        return text.toString();
    }

    private static String names(List<Object> users) {
        List<String> first =
                users.stream().sorted(BY_NUMBER).limit(NAMED).map(BusyMessage::name).toList();
        int more = users.size() - first.size();
        return String.join(", ", first) + (more == 0 ? "" : " and " + more + " more");
    }

    /** The name up to the number, without the name that the program gave the object. */
    private static String numbered(Object user) {
        return user.toString().split(":", 2)[0];
    }

    private static String name(Object user) {
        return user instanceof OpenTicket dropped
                ? dropped + ", dropped and " + dropped.origin()
                : user.toString();
    }
}

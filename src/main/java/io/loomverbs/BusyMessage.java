package io.loomverbs;

import io.loomverbs.internal.device.Errno;

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

    /** The oldest first: they are numbered, and a longer name has a larger number. */
    private static final Comparator<String> BY_NUMBER =
            Comparator.comparingInt(String::length).thenComparing(Comparator.naturalOrder());

    /** In the order in which they are usually closed. */
    private enum Kind {
        QUEUE_PAIR("queue pair"),
        ADDRESS_HANDLE("address handle"),
        MEMORY_REGION("memory region"),
        SHARED_RECEIVE_QUEUE("shared receive queue"),
        CQ("CQ"),
        CHANNEL("completion channel"),
        PROTECTION_DOMAIN("protection domain");

        private final String noun;

        Kind(String noun) {
            this.noun = noun;
        }

        static Kind of(Object user) {
            return switch (user) {
                case QueuePair _ -> QUEUE_PAIR;
                case AddressHandle _ -> ADDRESS_HANDLE;
                case MemoryRegion _ -> MEMORY_REGION;
                case SharedReceiveQueue _ -> SHARED_RECEIVE_QUEUE;
                case CompletionQueue _ -> CQ;
                case CompletionChannel _ -> CHANNEL;
                case ProtectionDomain _ -> PROTECTION_DOMAIN;
                default -> throw new AssertionError("nothing else uses others: " + user);
            };
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
                users.stream().map(Object::toString).sorted(BY_NUMBER).limit(NAMED).toList();
        int more = users.size() - first.size();
        return String.join(", ", first) + (more == 0 ? "" : " and " + more + " more");
    }
}

package io.loomverbs.misuse;

import io.loomverbs.CqConfig;
import io.loomverbs.Verbs;
import io.loomverbs.WaitStrategy;
import io.loomverbs.WcField;

import java.time.Duration;
import java.util.Set;

/** Bad input to devices and contexts, and to what creates channels and CQs. */
final class ContextMisuse extends MisuseTable {
    ContextMisuse() {
        for (int bad : new int[] {0, -1, 2, MAX}) {
            iae("Context.pkey(int, int)", s -> s.context.pkey(bad, 0), "port is " + bad);
        }
        for (int bad : new int[] {-1, 0x1_0000, MAX}) {
            iae(
                    "Context.pkey(int, int)",
                    s -> s.context.pkey(1, bad),
                    "index is " + bad,
                    "pkey_tbl_len of port 1");
        }
        for (int bad : new int[] {-1, 0x1_0000, MAX}) {
            iae("Context.pkeyIndex(int, int)", s -> s.context.pkeyIndex(1, bad), "pkey is " + bad);
        }
        iae("Context.pkeyIndex(int, int)", s -> s.context.pkeyIndex(2, 1), "port is 2");
        for (int bad : new int[] {-1, MAX, Integer.MIN_VALUE}) {
            iae(
                    "Context.compVectorCpus(int)",
                    s -> s.context.compVectorCpus(bad),
                    "vector is " + bad,
                    "num_comp_vectors");
            iae(
                    "Context.cqsOnCompVector(int)",
                    s -> s.context.cqsOnCompVector(bad),
                    "vector is " + bad,
                    "num_comp_vectors");
        }
        iae("Verbs.device(String)", s -> Verbs.device("nope0"), "name", "\"nope0\"", "soft0");
        iae("Verbs.device(String)", s -> Verbs.device(""), "name", "\"\"");
        for (int port : new int[] {0, -1, 2, MAX, Integer.MIN_VALUE}) {
            String is = "port is " + port;
            iae("Context.port(int)", s -> s.context.port(port), is, "phys_port_cnt");
            iae("Context.gid(int, int)", s -> s.context.gid(port, 0), is, "phys_port_cnt");
            iae(
                    "Context.gidEntry(int, int)",
                    s -> s.context.gidEntry(port, 0),
                    is,
                    "phys_port_cnt");
            iae("Context.gids(int)", s -> s.context.gids(port), is, "phys_port_cnt");
            iae("Context.defaultGidIndex(int)", s -> s.context.defaultGidIndex(port), is);
        }
        iae("Context.gid(int, int)", s -> s.context.gid(1, -1), "index is -1", "gid_tbl_len");
        iae("Context.gidEntry(int, int)", s -> s.context.gidEntry(1, -1), "index is -1");
        iae("Context.gidEntry(int, int)", s -> s.context.gidEntry(1, MAX), "gid_tbl_len");
        iae(
                "Context.gid(int, int)",
                s -> s.context.gid(1, s.context.port(1).gidTableLength()),
                "index is ",
                "gid_tbl_len");
        String create = "Context.createCq(int, Object, CompletionChannel, int)";
        String createDirect = "Context.createDirectCq(int, Object, CompletionChannel, int)";
        String createHow =
                "Context.createDirectCq(int, Object, CompletionChannel, int, WaitStrategy)";
        WaitStrategy how = WaitStrategy.EVENTS;
        for (int cqe : new int[] {0, -1, Integer.MIN_VALUE, MAX}) {
            String is = "cqe is " + cqe;
            iae(createHow, s -> s.context.createDirectCq(cqe, null, s.channel, 0, how), is);
            iae(
                    "Context.createDirectCq(int, WaitStrategy)",
                    s -> s.context.createDirectCq(cqe, how),
                    is,
                    "max_cqe");
            iae(create, s -> s.context.createCq(cqe, null, null, 0), is, "max_cqe");
            iae(createDirect, s -> s.context.createDirectCq(cqe, null, s.channel, 0), is);
            iae("Context.createDirectCq(int)", s -> s.context.createDirectCq(cqe), is, "max_cqe");
        }
        iae(
                create,
                s -> s.context.createCq(s.context.attributes().maxCqe() + 1, null, s.channel, 0),
                "cqe is");
        for (int vector : new int[] {-1, Integer.MIN_VALUE, MAX}) {
            String is = "compVector is " + vector;
            iae(create, s -> s.context.createCq(1, null, null, vector), is, "num_comp_vectors");
            iae(createDirect, s -> s.context.createDirectCq(1, null, null, vector), is);
            iae(createHow, s -> s.context.createDirectCq(1, null, null, vector, how), is);
        }
        iae(
                create,
                s -> s.context.createCq(1, null, null, s.context.numCompVectors()),
                "compVector is",
                "num_comp_vectors");
        iae(
                create,
                s -> s.context.createCq(1, null, s.foreignChannel, 0),
                "channel is",
                "channel-",
                "context");
        iae(createDirect, s -> s.context.createDirectCq(1, null, s.foreignChannel, 0), "channel");
        iae(createHow, s -> s.context.createDirectCq(1, null, s.foreignChannel, 0, how), "channel");
        extended();
        iae(
                "Context.getAsyncEvent(Duration)",
                s -> s.context.getAsyncEvent(Duration.ofNanos(-1)),
                "timeout is -0.000000001 s",
                "negative");
    }

    private void extended() {
        String create = "Context.createCqEx(CqConfig)";
        String config = "CqConfig(int, Object, CompletionChannel, int, boolean, WaitStrategy, Set)";
        WaitStrategy how = WaitStrategy.EVENTS;
        for (int cqe : new int[] {0, -1, Integer.MIN_VALUE}) {
            String is = "cqe is " + cqe;
            iae("CqConfig.of(int)", s -> CqConfig.of(cqe), is);
            iae("CqConfig.direct(int)", s -> CqConfig.direct(cqe), is);
            iae(config, s -> new CqConfig(cqe, null, null, 0, true, how, Set.of()), is);
        }
        iae(config, s -> new CqConfig(1, null, null, -1, true, how, Set.of()), "compVector is -1");
        iae("CqConfig.withCompVector(int)", s -> CqConfig.of(1).withCompVector(-1), "vector is -1");
        iae(create, s -> s.context.createCqEx(CqConfig.of(MAX)), "cqe is " + MAX, "max_cqe");
        iae(
                create,
                s -> s.context.createCqEx(CqConfig.of(1).withCompVector(MAX)),
                "compVector is " + MAX,
                "num_comp_vectors");
        iae(
                create,
                s -> s.context.createCqEx(CqConfig.of(1).withChannel(s.foreignChannel)),
                "channel is",
                "context");
        errno(
                create,
                s -> s.context.createCqEx(CqConfig.of(1).withFields(WcField.FLOW_TAG)),
                "ibv_create_cq_ex",
                "EOPNOTSUPP",
                "FLOW_TAG");
    }
}

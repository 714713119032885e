package io.loomverbs.misuse;

import io.loomverbs.Access;
import io.loomverbs.CompletionQueue;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.blocking.Buffer;
import io.loomverbs.blocking.BufferPool;
import io.loomverbs.blocking.RemoteRegion;
import io.loomverbs.blocking.Requests;
import io.loomverbs.blocking.RequestsConfig;

import java.nio.ByteBuffer;
import java.time.Duration;

/** Bad input to blocking requests, and to buffers. */
final class BlockingMisuse extends MisuseTable {
    private static final RemoteRegion SHORT = new RemoteRegion(4096, 1, 7);
    private static final Duration NEGATIVE = Duration.ofNanos(-1);

    BlockingMisuse() {
        buffers();
        pools();
        regions();
        requests();
        configurations();
    }

    private void buffers() {
        String part = "blocking.Buffer.of(MemoryRegion, long, int)";
        iae(part, s -> Buffer.of(s.mr, -1, 1), "offset is -1", "64 bytes");
        iae(part, s -> Buffer.of(s.mr, 64, 1), "offset is 64", "length 1", "64 bytes");
        iae(part, s -> Buffer.of(s.mr, 0, -1), "length is -1");
        iae(part, s -> Buffer.of(s.mr, Long.MAX_VALUE, 64), "offset is " + Long.MAX_VALUE);
        String slice = "blocking.Buffer.slice(long, int)";
        iae(slice, s -> s.buffer.slice(-1, 1), "offset is -1");
        iae(slice, s -> s.buffer.slice(60, 5), "offset is 60", "length 5", "64 bytes");
        iae(slice, s -> s.buffer.slice(0, -5), "length is -5");
    }

    private void pools() {
        for (String name : new String[] {"of", "traced"}) {
            String make = "blocking.BufferPool." + name + "(ProtectionDomain, int, int, Access[])";
            boolean of = name.equals("of");
            for (int bad : new int[] {0, -1}) {
                iae(
                        make,
                        s -> {
                            BufferPool made =
                                    of
                                            ? BufferPool.of(s.pd, bad, 1)
                                            : BufferPool.traced(s.pd, bad, 1);
                            made.close();
                        },
                        "bufferBytes is " + bad);
                iae(
                        make,
                        s -> {
                            BufferPool made =
                                    of
                                            ? BufferPool.of(s.pd, 64, bad)
                                            : BufferPool.traced(s.pd, 64, bad);
                            made.close();
                        },
                        "buffers is " + bad);
            }
        }
        iae(
                "blocking.BufferPool.take(Duration)",
                s -> s.pool.take(NEGATIVE),
                "timeout is",
                "negative");
    }

    private void regions() {
        String make = "blocking.RemoteRegion(long, int, long)";
        iae(make, s -> new RemoteRegion(0, 0, -1), "length is -1");
        String slice = "blocking.RemoteRegion.slice(long, long)";
        iae(slice, s -> SHORT.slice(-1, 1), "offset is -1", "7 bytes");
        iae(slice, s -> SHORT.slice(1, 7), "offset is 1", "length 7", "7 bytes");
        iae(slice, s -> SHORT.slice(0, -1), "length is -1");
        String parse = "blocking.RemoteRegion.parse(String)";
        for (String bad :
                new String[] {
                    "",
                    "0x1:0x2",
                    "0x1:0x2:-3",
                    "0x1:0x2:3:",
                    "0x1:0x123456789:3",
                    "0x1:0x2:9999999999999999999"
                }) {
            iae(parse, s -> RemoteRegion.parse(bad), "text is '" + bad + "'", "0x");
        }
        iae(
                "blocking.RemoteRegion.from(ByteBuffer)",
                s -> RemoteRegion.from(ByteBuffer.allocate(19)),
                "bytes has 19 left",
                "20");
        iae(
                "blocking.RemoteRegion.from(ByteBuffer)",
                s -> RemoteRegion.from(ByteBuffer.allocate(20).putLong(12, -2)),
                "length is -2");
    }

    private void requests() {
        String other = "buffer is of";
        iae("blocking.Requests.send(Buffer)", s -> s.requests.send(s.otherBuffer), other);
        iae("blocking.Requests.startSend(Buffer)", s -> s.requests.startSend(s.otherBuffer), other);
        iae(
                "blocking.Requests.sendWithImm(Buffer, int)",
                s -> s.requests.sendWithImm(s.otherBuffer, 1),
                other);
        String[] tooShort = {"from has 64 bytes", "to has only 7"};
        iae(
                "blocking.Requests.write(Buffer, RemoteRegion)",
                s -> s.requests.write(s.buffer, SHORT),
                tooShort);
        iae(
                "blocking.Requests.startWrite(Buffer, RemoteRegion)",
                s -> s.requests.startWrite(s.buffer, SHORT),
                tooShort);
        iae(
                "blocking.Requests.writeWithImm(Buffer, RemoteRegion, int)",
                s -> s.requests.writeWithImm(s.buffer, SHORT, 1),
                tooShort);
        RemoteRegion large = new RemoteRegion(4096, 1, 65);
        String[] tooLong = {"from has 65 bytes", "to has only 64"};
        iae(
                "blocking.Requests.read(RemoteRegion, Buffer)",
                s -> s.requests.read(large, s.buffer),
                tooLong);
        iae(
                "blocking.Requests.startRead(RemoteRegion, Buffer)",
                s -> s.requests.startRead(large, s.buffer),
                tooLong);
        iae(
                "blocking.Requests.fetchAdd(RemoteRegion, long)",
                s -> s.requests.fetchAdd(SHORT, 1),
                "at has 7 bytes",
                "8");
        iae(
                "blocking.Requests.compareAndSwap(RemoteRegion, long, long)",
                s -> s.requests.compareAndSwap(SHORT, 1, 2),
                "at has 7 bytes",
                "8");
        iae(
                "blocking.Requests.execute(Description)",
                s -> s.requests.execute(wr -> wr.send().sge(s.otherMr)),
                "names memory");
        iae(
                "blocking.Requests.start(Description)",
                s -> s.requests.start(wr -> wr.send().sge(s.otherMr)).await(),
                "names memory");
        iae(
                "blocking.Requests.receive(Duration)",
                s -> s.requests.receive(NEGATIVE),
                "limit is",
                "negative");
        iae(
                "blocking.Pending.await(Duration)",
                s -> s.pending().await(NEGATIVE),
                "timeout is",
                "negative");
    }

    private void configurations() {
        String one = "blocking.Requests.over(QueuePair)";
        String over = "blocking.Requests.over(QueuePair, RequestsConfig)";
        ise(one, s -> Requests.over(s.reset).close(), "sendCq is", "createDirectCq");
        RequestsConfig config = RequestsConfig.of();
        iae(over, s -> on(s, config.withSends(17)), "sends is 17", "maxSendWr");
        iae(over, s -> on(s, config.withReceives(17, s.pool)), "receives is 17", "maxRecvWr");
        ise(over, s -> on(s, config.withReceives(16, s.pool)), "buffers left", "receives is 16");
        iae(over, s -> onOtherPd(s, config.withReceives(1, s.pool)), "pool is of");
        ise(over, BlockingMisuse::onSmallCq, "holds", "make the CQ larger");
        String with = "blocking.RequestsConfig.with";
        iae(with + "Sends(int)", s -> config.withSends(-1), "sends is -1");
        iae(
                with + "Receives(int, BufferPool)",
                s -> config.withReceives(-1, s.pool),
                "receives is -1");
        iae(with + "Timeout(Duration)", s -> config.withTimeout(NEGATIVE), "timeout is");
        iae(
                "blocking.RequestsConfig(int, int, BufferPool, Duration)",
                s -> new RequestsConfig(0, 1, null, null),
                "receives is 1",
                "pool is null");
    }

    private static void on(Scene s, RequestsConfig config) {
        QueuePair qp = s.f.own(s.pd.createQp(QpConfig.of(QpType.RC, s.f.direct())));
        qp.init();
        Requests.over(qp, config).close();
    }

    private static void onOtherPd(Scene s, RequestsConfig config) {
        CompletionQueue cq = s.f.direct();
        QueuePair qp = s.f.own(s.otherPd.createQp(QpConfig.of(QpType.RC, cq)));
        Requests.over(qp, config).close();
    }

    private static void onSmallCq(Scene s) {
        CompletionQueue cq = s.f.own(s.context.createDirectCq(1));
        BufferPool pool = s.f.own(BufferPool.of(s.pd, 64, 64, Access.LOCAL_WRITE));
        int receives = cq.cqe();
        QueuePair qp = s.f.own(s.pd.createQp(QpConfig.of(QpType.RC, cq).withWr(1, receives)));
        qp.init();
        Requests.over(qp, RequestsConfig.of().withReceives(receives, pool)).close();
    }
}

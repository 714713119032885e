import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpAttributes;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.Verbs;
import io.loomverbs.blocking.Buffer;
import io.loomverbs.blocking.BufferPool;
import io.loomverbs.blocking.Message;
import io.loomverbs.blocking.RequestFailedException;
import io.loomverbs.blocking.RequestTimeoutException;
import io.loomverbs.blocking.Requests;
import io.loomverbs.blocking.RequestsConfig;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/**
 * Copies a file over a connection, in chunks. The receiver writes each chunk to the target and then
 * sends a credit; the sender has no more chunks under way than it has credits, so a slow disk slows
 * it down and nothing fails. Arguments: source, target, and, to see what happens when a peer dies,
 * after how many chunks the receiver does (never), and the device (soft0).
 */
public final class FileTransfer {
    private static final int CHUNK = 64 << 10;
    private static final int CREDITS = 16;
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private FileTransfer() {}

    /** Starts both ends, and says how that went. */
    public static void main(String[] args) throws Exception {
        if (args.length < 2) {
            System.err.println("usage: FileTransfer SOURCE TARGET [DIE-AFTER [DEVICE]]");
            System.exit(2);
        }
        long dieAfter = args.length > 2 ? Long.parseLong(args[2]) : Long.MAX_VALUE;
        String device = args.length > 3 ? args[3] : "soft0";
        try (Context context = Verbs.device(device).open();
                ProtectionDomain pd = context.allocPd();
                BufferPool pool = BufferPool.of(pd, CHUNK, 3 * CREDITS);
                CompletionQueue sends = context.createDirectCq(2 * CREDITS);
                CompletionQueue receives = context.createDirectCq(2 * CREDITS);
                QueuePair a = pd.createQp(QpConfig.of(QpType.RC, sends));
                QueuePair b = pd.createQp(QpConfig.of(QpType.RC, receives))) {
            a.init();
            b.init();
            RequestsConfig config =
                    RequestsConfig.of().withReceives(CREDITS, pool).withTimeout(PATIENCE);
            try (Requests out = Requests.over(a, config);
                    Requests in = Requests.over(b, config)) {
                a.connect(b.endpoint(), QpAttributes.builder().retryCnt(3).build());
                b.connect(a.endpoint());
                Path target = Path.of(args[1]);
                FutureTask<Long> receiver =
                        start("receiver", () -> receive(in, target, pool, dieAfter));
                String outcome = send(out, Path.of(args[0]), pool);
                System.out.println(outcome);
                System.out.println(outcomeOf(receiver));
            }
        }
    }

    private static FutureTask<Long> start(String name, Callable<Long> body) {
        FutureTask<Long> task = new FutureTask<>(body);
        Thread.ofVirtual().name(name).start(task);
        return task;
    }

    private static String outcomeOf(FutureTask<Long> receiver) throws InterruptedException {
        try {
            return "the receiver has written " + receiver.get() + " bytes";
        } catch (ExecutionException e) {
            return "the receiver has failed: " + e.getCause().getMessage();
        }
    }

    /** Sends the file, a chunk for each credit, then a message without bytes. */
    private static String send(Requests peer, Path source, BufferPool pool)
            throws IOException, InterruptedException {
        long sent = 0;
        try (FileChannel file = FileChannel.open(source)) {
            long size = file.size();
            int credits = CREDITS - 1; // one receive is for the end
            try (Buffer chunk = pool.take()) {
                int bytes = fill(chunk, file);
                while (bytes > 0) {
                    if (credits == 0) {
                        peer.receive().close(); // parks until the receiver has written a chunk
                        credits++;
                    }
                    peer.send(chunk.slice(0, bytes));
                    credits--;
                    sent += bytes;
                    show(sent, size);
                    bytes = fill(chunk, file);
                }
                for (; credits < CREDITS - 1; credits++) {
                    peer.receive().close();
                }
                peer.send(chunk.slice(0, 0));
            }
            return "the sender has sent " + sent + " bytes";
        } catch (RequestFailedException e) {
            return "the peer is gone after " + sent + " bytes: " + e.getMessage();
        } catch (RequestTimeoutException e) {
            return "the peer does not answer after " + sent + " bytes: " + e.getMessage();
        }
    }

    private static int fill(Buffer chunk, FileChannel file) throws IOException {
        ByteBuffer bytes = chunk.memory().asByteBuffer();
        while (bytes.hasRemaining() && file.read(bytes) >= 0) {
            // Reads may be short.
        }
        return bytes.position();
    }

    private static long receive(Requests peer, Path target, BufferPool pool, long dieAfter)
            throws IOException, InterruptedException {
        long written = 0;
        try (FileChannel file =
                        FileChannel.open(
                                target,
                                StandardOpenOption.CREATE,
                                StandardOpenOption.TRUNCATE_EXISTING,
                                StandardOpenOption.WRITE);
                Buffer credit = pool.take()) {
            for (long chunks = 0; chunks < dieAfter; chunks++) {
                try (Message chunk = peer.receive()) {
                    if (chunk.length() == 0) {
                        return written;
                    }
                    ByteBuffer bytes = chunk.memory().asByteBuffer();
                    while (bytes.hasRemaining()) {
                        written += file.write(bytes);
                    }
                }
                peer.send(credit.slice(0, 1));
            }
        }
        peer.close();
        peer.queuePair().close(); // as if the process had ended
        throw new IOException("died after " + written + " bytes");
    }

    private static void show(long sent, long size) {
        int percent = (int) (sent * 100 / Math.max(1, size));
        System.err.printf(
                "\r[%s%s] %3d %%", "#".repeat(percent / 4), ".".repeat(25 - percent / 4), percent);
        if (sent == size) {
            System.err.println();
        }
    }
}

package io.loomverbs.tools;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import io.loomverbs.Access;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.MemoryRegion;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.RecvWorkRequest;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.WcStatus;
import io.loomverbs.WorkCompletions;
import io.loomverbs.cm.ConnectionConfig;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/**
 * One end of an {@code rping}: its queue pair and memory, and the steps that both ends have in
 * common.
 *
 * <p>A message is the address, key and size of memory, in network order. The client tells the
 * server where its text is; the server reads it, and says so; the client tells it where to write
 * the text; the server writes it, and says so.
 */
final class RpingEnd implements AutoCloseable {
    /** The values of the C program. */
    static final ConnectionConfig CONFIG =
            ConnectionConfig.defaults().withResponderResources(1).withInitiatorDepth(1);

    static final int MIN_SIZE = "rdma-ping-2147483647: ".length() + 1;
    static final int MAX_SIZE = 64 * 1024 - 1;

    private static final int MESSAGE = 16;
    private static final int RKEY = 8;
    private static final int SIZE = 12;
    private static final int FIRST_LETTER = 'A';
    private static final int LAST_LETTER = 'z';
    private static final int DEPTH = 16;

    private static final ValueLayout.OfLong BE64 =
            JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfInt BE32 =
            JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    private final ProtectionDomain pd;
    private final CompletionQueue sends;
    private final CompletionQueue receives;
    private final QueuePair qp;
    private final MemoryRegion messages;
    private final MemoryRegion text;
    private final MemoryRegion echo;
    private final SendWorkRequest request = SendWorkRequest.allocate(1, 0);
    private final WorkCompletions batch = WorkCompletions.allocate(1);

    RpingEnd(Context context, int size) {
        pd = context.allocPd();
        sends = context.createDirectCq(DEPTH);
        receives = context.createDirectCq(DEPTH);
        qp = pd.createQp(QpConfig.of(QpType.RC, sends, receives).withWr(DEPTH, 2));
        messages = pd.allocateMr(2 * MESSAGE, Access.LOCAL_WRITE);
        text = pd.allocateMr(size, Access.LOCAL_WRITE, Access.REMOTE_READ);
        echo = pd.allocateMr(size, Access.LOCAL_WRITE, Access.REMOTE_WRITE);
    }

    QueuePair queuePair() {
        return qp;
    }

    /** For one message; before the peer may send it. */
    void postReceive() {
        qp.postRecv(RecvWorkRequest.allocate(1).sge(messages, MESSAGE, MESSAGE));
    }

    /** One round of the client. */
    String ping(int number, int size, boolean validate) throws InterruptedException {
        fill(number, size);
        echo.memory().fill((byte) 0);
        tell(text, size);
        receive();
        postReceive();
        tell(echo, size);
        receive();
        postReceive();
        if (validate && text.memory().mismatch(echo.memory()) >= 0) {
            throw new IllegalStateException(
                    "data mismatch in round "
                            + number
                            + ": sent \""
                            + text.memory().getString(0)
                            + "\", got \""
                            + echo.memory().getString(0)
                            + "\"");
        }
        return echo.memory().getString(0);
    }

    /** As the C program does: a number, then letters that begin one further each time. */
    private void fill(int number, int size) {
        byte[] head =
                String.format(Locale.ROOT, "rdma-ping-%d: ", number)
                        .getBytes(StandardCharsets.US_ASCII);
        MemorySegment to = text.memory();
        MemorySegment.copy(head, 0, to, JAVA_BYTE, 0, head.length);
        int letters = LAST_LETTER - FIRST_LETTER + 1;
        for (int i = head.length; i < size - 1; i++) {
            to.set(JAVA_BYTE, i, (byte) (FIRST_LETTER + (number + i - head.length) % letters));
        }
        to.set(JAVA_BYTE, size - 1, (byte) 0);
    }

    /**
     * One round of the server.
     *
     * @return the text; null if the client has disconnected instead
     */
    @org.jspecify.annotations.Nullable
    String pong() throws InterruptedException {
        if (await(receives) == WcStatus.WR_FLUSH_ERR) {
            return null;
        }
        int size = announcedSize();
        one(request.clear().rdmaRead(announcedAddress(), announcedKey()).sge(text, 0, size));
        String read = text.memory().getString(0);
        postReceive();
        tell(text, size);
        receive();
        long address = announcedAddress();
        int key = announcedKey();
        postReceive(); // before the client hears that it may go on
        one(request.clear().rdmaWrite(address, key).sge(text, 0, read.length() + 1));
        tell(text, size);
        return read;
    }

    private long announcedAddress() {
        return messages.memory().get(BE64, MESSAGE);
    }

    private int announcedKey() {
        return messages.memory().get(BE32, MESSAGE + RKEY);
    }

    private int announcedSize() {
        int size = messages.memory().get(BE32, MESSAGE + SIZE);
        if (size < 1 || size > text.length()) {
            throw new IllegalStateException(
                    "the client announces "
                            + size
                            + " bytes, but must announce 1 to "
                            + text.length());
        }
        return size;
    }

    private void tell(MemoryRegion where, int size) throws InterruptedException {
        MemorySegment message = messages.memory();
        message.set(BE64, 0, where.address());
        message.set(BE32, RKEY, where.rkey());
        message.set(BE32, SIZE, size);
        one(request.clear().send().sge(messages, 0, MESSAGE));
    }

    /** A message for which a receive is posted. */
    private void receive() throws InterruptedException {
        check("a message", await(receives));
    }

    private void one(SendWorkRequest posted) throws InterruptedException {
        qp.postSend(posted.signaled());
        check("a request", await(sends));
    }

    private WcStatus await(CompletionQueue cq) throws InterruptedException {
        cq.await(batch);
        return batch.status(0);
    }

    private static void check(String what, WcStatus status) {
        if (status != WcStatus.SUCCESS) {
            throw new IllegalStateException(
                    what + " failed: " + status + "; usually: " + status.hint());
        }
    }

    @Override
    public void close() {
        qp.close();
        echo.close();
        text.close();
        messages.close();
        receives.close();
        sends.close();
        pd.close();
    }
}

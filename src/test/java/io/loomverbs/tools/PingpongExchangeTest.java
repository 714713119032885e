package io.loomverbs.tools;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.Gid;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

/** The exchange of rdma-core's pingpong programs, byte by byte, and what is said if it fails. */
@Timeout(60)
class PingpongExchangeTest {
    // As ibv_rc_pingpong would write it on 10.99.0.1.
    private static final String OF_C = "0000:000011:0a3f5c:00000000000000000000ffff0a630001\0";
    private static final PingpongPeer C =
            new PingpongPeer(0, 0x11, 0xa3f5c, new Gid(0, 0xffff_0a63_0001L));
    private static final PingpongPeer HERE = new PingpongPeer(1, 0xffffff, 0, null);
    private static final String OF_HERE = "0001:ffffff:000000:00000000000000000000000000000000\0";

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.US_ASCII);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private static <T> FutureTask<T> start(Callable<T> body) {
        FutureTask<T> task = new FutureTask<>(body);
        Thread.ofVirtual().start(task);
        return task;
    }

    /** A peer is written as C writes it, and read back. */
    @Test
    void aPeerOnTheWire() {
        assertThat(text(C.toWire())).isEqualTo(OF_C).hasSize(PingpongPeer.WIRE_BYTES);
        assertThat(text(HERE.toWire())).isEqualTo(OF_HERE);
        assertThat(PingpongPeer.ofWire(bytes(OF_C))).isEqualTo(C);
        assertThat(PingpongPeer.ofWire(HERE.toWire())).isEqualTo(HERE);
        assertThat(C)
                .hasToString(
                        "LID 0x0000, QPN 0x000011, PSN 0x0a3f5c,"
                                + " GID 0000:0000:0000:0000:0000:ffff:0a63:0001");
    }

    /** What is no such message is shown. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "GET / HTTP/1.1",
                "0000:000011:0a3f5c:00000000000000000000ffff0a630001 ",
                "000g:000011:0a3f5c:00000000000000000000ffff0a630001\0",
                ""
            })
    void somethingElseOnTheWire(String what) {
        assertThatThrownBy(() -> PingpongPeer.ofWire(bytes(what)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("ibv_rc_pingpong")
                .hasMessageContaining('"' + what.replace('\0', '?') + '"');
    }

    /** A server connects between what it reads and what it writes; nothing else is on the wire. */
    @Test
    void aServerAsAClientInCSeesIt() throws Exception {
        AtomicReference<PingpongPeer> connected = new AtomicReference<>();
        try (ServerSocket listener = PingpongExchange.listen(0)) {
            FutureTask<PingpongPeer> server =
                    start(() -> PingpongExchange.asServer(listener, HERE, connected::set));
            try (Socket client =
                    new Socket(InetAddress.getLoopbackAddress(), listener.getLocalPort())) {
                client.setSoTimeout(10_000);
                client.getOutputStream().write(bytes(OF_C));
                InputStream in = client.getInputStream();
                assertThat(text(in.readNBytes(PingpongPeer.WIRE_BYTES))).isEqualTo(OF_HERE);
                assertThat(connected).hasValue(C);
                client.getOutputStream().write(bytes("done\0"));
                assertThat(server.get(10, TimeUnit.SECONDS)).isEqualTo(C);
                assertThat(in.read()).isEqualTo(-1);
            }
        }
    }

    /** A client speaks first, in one write; it says "done", and hangs up. */
    @Test
    void aClientAsAServerInCSeesIt() throws Exception {
        try (ServerSocket listener = PingpongExchange.listen(0)) {
            int port = listener.getLocalPort();
            FutureTask<PingpongPeer> client =
                    start(() -> PingpongExchange.asClient("localhost", port, HERE));
            try (Socket server = listener.accept()) {
                server.setSoTimeout(10_000);
                InputStream in = server.getInputStream();
                byte[] room = new byte[100];
                assertThat(in.read(room)).isEqualTo(PingpongPeer.WIRE_BYTES);
                assertThat(text(room)).startsWith(OF_HERE);
                server.getOutputStream().write(bytes(OF_C));
                assertThat(text(in.readAllBytes())).isEqualTo("done\0");
                assertThat(client.get(10, TimeUnit.SECONDS)).isEqualTo(C);
            }
        }
    }

    /** A peer that hangs up, or a client that does not say "done", is a failure with a reason. */
    @Test
    void aBrokenExchangeIsExplained() throws Exception {
        try (ServerSocket listener = PingpongExchange.listen(0)) {
            int port = listener.getLocalPort();
            FutureTask<PingpongPeer> server =
                    start(() -> PingpongExchange.asServer(listener, HERE, remote -> {}));
            try (Socket client = new Socket(InetAddress.getLoopbackAddress(), port)) {
                client.getOutputStream().write(bytes("0000:"));
            }
            assertThatThrownBy(() -> server.get(10, TimeUnit.SECONDS))
                    .cause()
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("hung up after 5 of 52 bytes");

            FutureTask<PingpongPeer> again =
                    start(() -> PingpongExchange.asServer(listener, HERE, remote -> {}));
            try (Socket client = new Socket(InetAddress.getLoopbackAddress(), port)) {
                client.getOutputStream().write(bytes(OF_C + "fail\0"));
                assertThatThrownBy(() -> again.get(10, TimeUnit.SECONDS))
                        .cause()
                        .isInstanceOf(IOException.class)
                        .hasMessageContaining("\"done\"");
            }

            assertThatThrownBy(() -> PingpongExchange.listen(port))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("port " + port);
        }
    }

    /** A message that is stale, shifted or torn is no other message, nor one of C. */
    @Test
    void aPayloadIsOnlyItself() {
        MemorySegment payload = MemorySegment.ofArray(new byte[9000]);
        PingpongPayload.write(payload, 7);
        PingpongPayload.verify(payload, 7);
        assertThat(PingpongPayload.isOfC(payload)).isFalse();
        for (int other : new int[] {6, 8, 7 + 128}) {
            assertThatThrownBy(() -> PingpongPayload.verify(payload, other))
                    .hasMessageContaining("of message " + other);
        }
        for (int at : new int[] {0, 1, 4096, 8999}) {
            byte was = payload.get(ValueLayout.JAVA_BYTE, at);
            payload.set(ValueLayout.JAVA_BYTE, at, (byte) (was + 1));
            assertThatThrownBy(() -> PingpongPayload.verify(payload, 7))
                    .hasMessageContaining("byte " + at + " of message 7");
            payload.set(ValueLayout.JAVA_BYTE, at, was);
        }
        payload.fill((byte) 0x7b);
        assertThat(PingpongPayload.isOfC(payload)).isFalse();
        for (int page = 0; page < 9000; page += 4096) {
            payload.set(ValueLayout.JAVA_BYTE, page, (byte) 0);
        }
        assertThat(PingpongPayload.isOfC(payload)).isTrue();
    }
}

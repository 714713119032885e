package io.loomverbs.tools;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.Consumer;

/**
 * Lets two ends that have no connection yet find each other: over TCP, in the steps of rdma-core's
 * pingpong programs, so that either end may be one of these.
 *
 * <pre>
 * client                                server
 * connects, tells where it is   ----&gt;
 *                                       connects its queue pair to the client's
 *                               &lt;----   tells where it is
 * says "done"                   ----&gt;
 * connects its queue pair, sends
 * </pre>
 */
final class PingpongExchange {
    private static final byte[] DONE = "done\0".getBytes(StandardCharsets.US_ASCII);

    /** Once connected, the other end has nothing to wait for. */
    private static final int SILENCE_MILLIS = 10_000;

    private PingpongExchange() {}

    /** Gets the server's endpoint; the server is ready for messages when this returns. */
    static PingpongPeer asClient(String host, int port, PingpongPeer mine) throws IOException {
        try (Socket socket = connect(host, port)) {
            PingpongPeer remote = tellAndListen(socket, mine);
            socket.getOutputStream().write(DONE);
            return remote;
        }
    }

    private static Socket connect(String host, int port) throws IOException {
        IOException last = null;
        for (InetAddress address : InetAddress.getAllByName(host)) {
            Socket socket = new Socket();
            try {
                socket.connect(new InetSocketAddress(address, port), SILENCE_MILLIS);
                socket.setSoTimeout(SILENCE_MILLIS);
                return socket;
            } catch (IOException e) {
                socket.close();
                last = e;
            }
        }
        ConnectException failed =
                new ConnectException("no server answers at " + host + ", port " + port);
        failed.initCause(last);
        throw failed;
    }

    /** In one write, as the C programs expect it in one read. */
    private static PingpongPeer tellAndListen(Socket socket, PingpongPeer mine) throws IOException {
        socket.getOutputStream().write(mine.toWire());
        return PingpongPeer.ofWire(read(socket, PingpongPeer.WIRE_BYTES));
    }

    /** Where a server waits for its client. */
    static ServerSocket listen(int port) throws IOException {
        try {
            return new ServerSocket(port, 1);
        } catch (IOException e) {
            throw new IOException("cannot listen to port " + port + ": " + e.getMessage(), e);
        }
    }

    /**
     * Waits for a client without a time limit, passes its endpoint to {@code connect}, and then
     * sends it ours.
     */
    static PingpongPeer asServer(
            ServerSocket listener, PingpongPeer mine, Consumer<PingpongPeer> connect)
            throws IOException {
        try (Socket socket = listener.accept()) {
            socket.setSoTimeout(SILENCE_MILLIS);
            PingpongPeer remote = PingpongPeer.ofWire(read(socket, PingpongPeer.WIRE_BYTES));
            connect.accept(remote);
            OutputStream out = socket.getOutputStream();
            out.write(mine.toWire());
            byte[] answer = read(socket, DONE.length);
            if (!Arrays.equals(answer, DONE)) {
                throw new IOException("the client did not end the exchange with \"done\"");
            }
            return remote;
        }
    }

    private static byte[] read(Socket socket, int length) throws IOException {
        InputStream in = socket.getInputStream();
        try {
            byte[] bytes = in.readNBytes(length);
            if (bytes.length < length) {
                throw new IOException(
                        "the peer hung up after "
                                + bytes.length
                                + " of "
                                + length
                                + " bytes: it has failed, and says why");
            }
            return bytes;
        } catch (SocketTimeoutException e) {
            throw new IOException(
                    "the peer has said nothing for " + SILENCE_MILLIS / 1000 + " s", e);
        }
    }
}

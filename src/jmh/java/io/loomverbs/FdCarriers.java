package io.loomverbs;

import io.loomverbs.internal.ibverbs.PipedDevice;
import io.loomverbs.peers.EpollSet;
import io.loomverbs.peers.NativePeers;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/** Events that come through pipes: ours, the limit, and what one would pick instead. */
final class FdCarriers {
    private static final int BYTES = 8;

    private FdCarriers() {}

    static EventCarrier of(String name, EventCarrier.Slot[] slots) {
        return switch (name) {
            case "channelEach" -> onChannels(slots, slots.length, false);
            case "pollerThread" -> onChannels(slots, slots.length, true);
            case "oneChannel" -> onChannels(slots, 1, false);
            case "direct" -> direct(slots);
            case "inlineEpoll" -> new InlineEpoll(slots);
            case "threadEach" -> new ThreadEach(slots);
            case "oneShot" -> new OneShot(slots);
            case "jdkPipe" -> new JdkPipes(slots);
            default -> throw new IllegalArgumentException("no carrier is called " + name);
        };
    }

    private static void join(List<Thread> threads) throws InterruptedException {
        for (Thread thread : threads) {
            thread.join();
        }
    }

    /** Channels of libibverbs. */
    private static CqCarrier onChannels(
            EventCarrier.Slot[] slots, int channels, boolean threadLeads) {
        PipedDevice device = new PipedDevice(threadLeads);
        return CqCarrier.onChannels(
                new Device(device).open(), cq -> device.last()::raise, slots, channels);
    }

    /** CQs with direct delivery, all on the context's one channel. */
    private static CqCarrier direct(EventCarrier.Slot[] slots) {
        PipedDevice device = new PipedDevice(false);
        return CqCarrier.direct(new Device(device).open(), cq -> device.last()::raise, slots);
    }

    /** A pipe for each CQ. */
    private abstract static class Pipes implements EventCarrier {
        final Slot[] slots;
        final NativePeers.Pipe[] pipes;

        Pipes(Slot[] slots) {
            this.slots = slots;
            pipes = new NativePeers.Pipe[slots.length];
            for (int i = 0; i < pipes.length; i++) {
                pipes[i] = new NativePeers.Pipe();
            }
        }

        @Override
        public final void raise(Slot slot) {
            pipes[slot.index].write();
        }

        final void closeWriters() {
            for (NativePeers.Pipe pipe : pipes) {
                pipe.closeWriter();
            }
        }

        final void closeReaders() {
            for (NativePeers.Pipe pipe : pipes) {
                pipe.close();
            }
        }
    }

    /** A platform thread for each, which blocks in read(2). */
    private static final class ThreadEach extends Pipes {
        private final List<Thread> threads = new ArrayList<>();

        ThreadEach(Slot[] slots) {
            super(slots);
            for (Slot slot : slots) {
                NativePeers.Pipe pipe = pipes[slot.index];
                threads.add(
                        Thread.ofPlatform()
                                .start(
                                        () -> {
                                            while (pipe.read()) {
                                                slot.handle();
                                            }
                                        }));
            }
        }

        @Override
        public void end() throws InterruptedException {
            closeWriters();
            join(threads);
            closeReaders();
        }
    }

    /** The limit, where no handler may block: the thread that waits in epoll reads and handles. */
    private static final class InlineEpoll extends Pipes {
        private final EpollSet epoll = new EpollSet(false);
        private final Thread thread;

        InlineEpoll(Slot[] slots) {
            super(slots);
            for (Slot slot : slots) {
                epoll.add(pipes[slot.index].readFd(), epoll.registration(slot.index));
            }
            thread = Thread.ofPlatform().start(this::dispatch);
        }

        private void dispatch() {
            for (; ; ) {
                int n = epoll.await();
                for (int i = 0; i < n; i++) {
                    int index = epoll.index(i);
                    if (!pipes[index].read()) {
                        return;
                    }
                    slots[index].handle();
                }
            }
        }

        @Override
        public void end() throws InterruptedException {
            closeWriters();
            thread.join();
            epoll.close();
            closeReaders();
        }
    }

    /**
     * The usual poller: a platform thread waits in epoll and unparks a virtual thread for each
     * descriptor, which reads, handles and arms the descriptor again.
     */
    private static final class OneShot extends Pipes {
        private final EpollSet epoll = new EpollSet(true);
        private final Thread[] handlers;
        private final Flag[] ready;
        private final Thread thread;
        private volatile boolean ended;

        private static final class Flag {
            volatile boolean up;
        }

        OneShot(Slot[] slots) {
            super(slots);
            handlers = new Thread[slots.length];
            ready = new Flag[slots.length];
            for (Slot slot : slots) {
                ready[slot.index] = new Flag();
                handlers[slot.index] = Thread.ofVirtual().unstarted(() -> serve(slot));
            }
            for (Thread handler : handlers) {
                handler.start();
            }
            thread = Thread.ofPlatform().start(this::dispatch);
        }

        private void serve(Slot slot) {
            NativePeers.Pipe pipe = pipes[slot.index];
            MemorySegment registration = epoll.registration(slot.index);
            Flag flag = ready[slot.index];
            epoll.add(pipe.readFd(), registration);
            for (; ; ) {
                while (!flag.up) {
                    LockSupport.park(this);
                }
                flag.up = false;
                if (!pipe.read()) {
                    return;
                }
                slot.handle();
                epoll.rearm(pipe.readFd(), registration);
            }
        }

        private void dispatch() {
            while (!ended) {
                int n = epoll.await();
                for (int i = 0; i < n; i++) {
                    int index = epoll.index(i);
                    ready[index].up = true;
                    LockSupport.unpark(handlers[index]);
                }
            }
        }

        @Override
        public void end() throws InterruptedException {
            for (int i = 0; i < handlers.length; i++) {
                // The last one wakes the dispatcher once more, which then finds that it is the end.
                ended = i == handlers.length - 1;
                pipes[i].closeWriter();
                if (!ended) {
                    handlers[i].join();
                }
            }
            thread.join();
            handlers[handlers.length - 1].join();
            epoll.close();
            closeReaders();
        }
    }

    /** Pipes of the JDK, read on virtual threads: the JDK's own poller. */
    private static final class JdkPipes implements EventCarrier {
        private final java.nio.channels.Pipe[] pipes;
        private final ByteBuffer out = ByteBuffer.allocateDirect(BYTES);
        private final List<Thread> handlers = new ArrayList<>();

        JdkPipes(Slot[] slots) {
            pipes = new java.nio.channels.Pipe[slots.length];
            try {
                for (Slot slot : slots) {
                    java.nio.channels.Pipe pipe = java.nio.channels.Pipe.open();
                    pipes[slot.index] = pipe;
                    handlers.add(Thread.ofVirtual().start(() -> serve(pipe, slot)));
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private static void serve(java.nio.channels.Pipe pipe, Slot slot) {
            ByteBuffer in = ByteBuffer.allocateDirect(BYTES);
            try {
                while (pipe.source().read(in) == BYTES) {
                    slot.handle();
                    in.clear();
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public void raise(Slot slot) {
            out.clear();
            try {
                pipes[slot.index].sink().write(out);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public void end() throws InterruptedException {
            try {
                for (java.nio.channels.Pipe pipe : pipes) {
                    pipe.sink().close();
                }
                join(handlers);
                for (java.nio.channels.Pipe pipe : pipes) {
                    pipe.source().close();
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}

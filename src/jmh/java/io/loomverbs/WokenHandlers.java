package io.loomverbs;

import io.loomverbs.internal.device.CqListener;
import io.loomverbs.internal.ibverbs.PipedDevice;
import io.loomverbs.peers.NativePeers;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.concurrent.LinkedTransferQueue;
import java.util.concurrent.locks.LockSupport;

/** The handlers that wait for an event, in the ways that are compared. */
final class WokenHandlers {
    /** Until one is in the kernel, where no thread can see it. */
    private static final long BLOCK_NANOS = 10_000;

    private WokenHandlers() {}

    static void letBlock() {
        long start = System.nanoTime();
        while (System.nanoTime() - start < BLOCK_NANOS) {
            Thread.onSpinWait();
        }
    }

    /** Waits, and counts the events that have reached it. */
    @SuppressWarnings("NonAtomicVolatileUpdate") // written by the handler alone
    abstract static class Handler {
        private final Thread thread;
        private volatile long handled;
        private volatile boolean ended;
        private volatile Throwable failure;

        Handler(Thread.Builder builder) {
            thread = builder.unstarted(this::serve);
        }

        abstract void await() throws InterruptedException;

        abstract void raise();

        /** What is owed for what was received, once the handler has run. */
        void acknowledge() {}

        /** Ends {@link #await}; interrupts, unless it is said otherwise. */
        void stop() {
            thread.interrupt();
        }

        boolean blocksUnseen() {
            return false;
        }

        final Thread thread() {
            return thread;
        }

        final long handled() {
            return handled;
        }

        final void handle() {
            handled = handled + 1;
        }

        void serve() {
            try {
                while (!ended) {
                    await();
                    handle();
                    acknowledge();
                }
            } catch (InterruptedException | ClosedException e) {
                // Asked to end.
            } catch (Throwable e) {
                failure = e;
            }
        }

        final boolean ended() {
            return ended;
        }

        final Handler start() {
            thread.start();
            return this;
        }

        final void untilBlocked() {
            if (blocksUnseen()) {
                letBlock();
                return;
            }
            while (thread.getState() != Thread.State.WAITING) {
                if (!thread.isAlive()) {
                    throw new IllegalStateException("the handler has ended", failure);
                }
                Thread.onSpinWait();
            }
        }

        final long raiseAndSpin() {
            long before = handled;
            raise();
            while (handled == before) {
                Thread.onSpinWait();
            }
            return before;
        }

        final void end() throws InterruptedException {
            ended = true;
            stop();
            thread.join();
        }
    }

    /** A virtual thread that only parks. */
    @SuppressWarnings("NonAtomicVolatileUpdate") // written by the raiser alone
    static final class Parked extends Handler {
        private volatile long raised;

        Parked() {
            super(Thread.ofVirtual());
        }

        @Override
        void await() throws InterruptedException {
            while (raised == handled()) {
                LockSupport.park(this);
                if (Thread.interrupted()) {
                    throw new InterruptedException();
                }
            }
        }

        @Override
        void raise() {
            raised = raised + 1;
            LockSupport.unpark(thread());
        }
    }

    /** One that waits for a CQ with direct delivery. */
    static final class Direct extends Handler {
        private final CompletionQueue cq;
        private final CqListener device;
        private CqEvent event;

        Direct(CompletionQueue cq) {
            super(Thread.ofVirtual());
            this.cq = cq;
            this.device = cq.listener();
        }

        @Override
        void await() throws InterruptedException {
            event = cq.getCqEvent();
        }

        @Override
        void acknowledge() {
            event.close();
        }

        @Override
        void raise() {
            device.completionEvent();
        }
    }

    /** One that waits at the channel of a CQ. */
    static final class OnChannel extends Handler {
        private final CompletionChannel channel;
        private final CqListener device;
        private CqEvent event;

        OnChannel(CompletionChannel channel, CompletionQueue cq) {
            super(Thread.ofVirtual());
            this.channel = channel;
            this.device = cq.listener();
        }

        @Override
        void await() throws InterruptedException {
            event = channel.getCqEvent();
        }

        @Override
        void acknowledge() {
            event.close();
        }

        @Override
        void raise() {
            device.completionEvent();
        }
    }

    /** A virtual thread that takes from a queue. */
    static final class Transfer extends Handler {
        private final LinkedTransferQueue<Object> queue = new LinkedTransferQueue<>();

        Transfer() {
            super(Thread.ofVirtual());
        }

        @Override
        void await() throws InterruptedException {
            queue.take();
        }

        @Override
        void raise() {
            queue.add(this);
        }
    }

    /** A platform thread that runs callbacks, one after the other. */
    static final class Dispatcher extends Handler {
        private final LinkedTransferQueue<Runnable> callbacks = new LinkedTransferQueue<>();
        private final Runnable callback = this::handle;

        Dispatcher() {
            super(Thread.ofPlatform());
        }

        @Override
        void await() throws InterruptedException {
            callbacks.take().run();
        }

        @Override
        void serve() {
            try {
                while (!ended()) {
                    await();
                }
            } catch (InterruptedException e) {
                // Asked to end.
            }
        }

        @Override
        void raise() {
            callbacks.add(callback);
        }
    }

    /** A platform thread of Java that blocks in read(2). */
    static final class Reader extends Handler {
        private final NativePeers.Pipe pipe = new NativePeers.Pipe();

        Reader() {
            super(Thread.ofPlatform());
        }

        @Override
        void await() throws InterruptedException {
            if (!pipe.read()) {
                throw new InterruptedException("end of the pipe");
            }
        }

        @Override
        void raise() {
            pipe.write();
        }

        @Override
        void stop() {
            pipe.closeWriter();
        }

        @Override
        boolean blocksUnseen() {
            return true;
        }
    }

    /** One that waits for an event of libibverbs, which comes through a pipe. */
    static final class OnFd extends Handler {
        private final CompletionChannel channel;
        private final CompletionQueue cq;
        private final PipedDevice.Made made;
        private CqEvent event;

        /**
         * @param channel null to wait for the CQ itself
         */
        OnFd(
                Thread.Builder builder,
                CompletionChannel channel,
                CompletionQueue cq,
                PipedDevice.Made made) {
            super(builder);
            this.channel = channel;
            this.cq = cq;
            this.made = made;
        }

        @Override
        void await() throws InterruptedException {
            event = channel == null ? cq.getCqEvent() : channel.getCqEvent();
        }

        @Override
        void acknowledge() {
            event.close();
        }

        @Override
        void raise() {
            made.raise();
        }

        @Override
        boolean blocksUnseen() {
            return true;
        }
    }

    /** A virtual thread that reads a pipe of the JDK. */
    static final class JdkPipe extends Handler {
        private static final int BYTES = 8;

        private final java.nio.channels.Pipe pipe;
        private final ByteBuffer in = ByteBuffer.allocateDirect(BYTES);
        private final ByteBuffer out = ByteBuffer.allocateDirect(BYTES);

        JdkPipe() {
            super(Thread.ofVirtual());
            try {
                pipe = java.nio.channels.Pipe.open();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        void await() throws InterruptedException {
            in.clear();
            try {
                if (pipe.source().read(in) != BYTES) {
                    throw new InterruptedException("end of the pipe");
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        void raise() {
            out.clear();
            try {
                pipe.sink().write(out);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        void stop() {
            try {
                pipe.sink().close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        boolean blocksUnseen() {
            return true;
        }
    }
}

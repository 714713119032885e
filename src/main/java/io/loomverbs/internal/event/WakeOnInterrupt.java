package io.loomverbs.internal.event;

import java.io.IOException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.spi.AbstractSelectableChannel;
import java.nio.channels.spi.AbstractSelector;
import java.util.Set;

/**
 * Wakes a source when the thread in it is interrupted.
 *
 * <p>An interrupt does not end a wait in the kernel. But {@link Thread#interrupt} wakes the
 * selector in which a thread is blocked, and any class can be a selector: this is one that cannot
 * select.
 */
final class WakeOnInterrupt extends AbstractSelector {
    private final EventSource source;

    WakeOnInterrupt(EventSource source) {
        super(null); // it creates no channels
        this.source = source;
    }

    /**
     * Called before the calling thread waits. If it is interrupted already, the source is woken.
     */
    void begins() {
        begin();
    }

    void ended() {
        end();
    }

    @Override
    public Selector wakeup() {
        source.wake();
        return this;
    }

    @Override
    protected void implCloseSelector() {}

    @Override
    protected SelectionKey register(AbstractSelectableChannel channel, int ops, Object attachment) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Set<SelectionKey> keys() {
        throw new UnsupportedOperationException();
    }

    @Override
    public Set<SelectionKey> selectedKeys() {
        throw new UnsupportedOperationException();
    }

    @Override
    public int selectNow() throws IOException {
        throw new UnsupportedOperationException();
    }

    @Override
    public int select(long timeout) throws IOException {
        throw new UnsupportedOperationException();
    }

    @Override
    public int select() throws IOException {
        throw new UnsupportedOperationException();
    }
}

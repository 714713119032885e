package io.loomverbs.internal.ibverbs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.CompletionChannel;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.VerbsException;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.Ibv;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.time.Duration;

/**
 * A device that was removed: the kernel has destroyed all its objects, and answers every call with
 * {@code EIO}. On objects made by hand.
 */
@Timeout(60)
class GoneDeviceTest {
    /** And its channels, which libibverbs keeps for the CQs that it has not destroyed. */
    @Test
    void everythingCanBeClosed() throws Exception {
        HandMadeDevice device = HandMadeDevice.create();
        Context context = device.open();
        CompletionChannel channel = context.createCompChannel();
        CompletionQueue first = context.createCq(1, null, channel, 0);
        HandMadeDevice.Made made = device.last();
        CompletionQueue second = context.createCq(1, null, channel, 0);
        device.answers = verb -> Errno.EIO;
        first.close();
        assertThatThrownBy(channel::close).hasMessageContaining("EBUSY");
        second.close();
        channel.close();
        device.asyncEvent(made, Ibv.EVENT_CQ_ERR); // it was under way
        assertThat(context.getAsyncEvent(Duration.ofMillis(50))).isNull();
        context.close();
    }

    @Test
    void itsOtherObjectsAreDestroyed() throws Exception {
        HandMadeDevice device = HandMadeDevice.create();
        IbvContext context = device.bareContext();
        IbvQp qp = device.queuePair(context);
        IbvMr mr = device.memoryRegion(context, 4096);
        IbvAh ah = device.addressHandle(context);
        device.answers = verb -> Errno.EIO;
        assertThat(qp.destroy()).isZero();
        assertThat(mr.dereg()).isZero();
        assertThat(ah.destroy()).isZero();
        assertThat(qp.isDestroyed()).isTrue();
        device.closePipe();
    }

    /** A device that answers is there, whatever it refuses. */
    @Test
    void aRefusalOfADeviceThatIsThereStays() throws Exception {
        HandMadeDevice device = HandMadeDevice.create();
        Context context = device.open();
        CompletionQueue cq = context.createDirectCq(1);
        device.answers = verb -> verb.startsWith("destroy") ? Errno.EIO : 0;
        assertThatThrownBy(cq::close)
                .isInstanceOf(VerbsException.class)
                .hasMessageContaining("EIO");
        device.answers = verb -> 0;
        cq.close();
        context.close();
    }
}

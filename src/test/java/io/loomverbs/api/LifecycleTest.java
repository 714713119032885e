package io.loomverbs.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.AddressHandle;
import io.loomverbs.ClosedException;
import io.loomverbs.CompletionChannel;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.CqEvent;
import io.loomverbs.MemoryRegion;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.WcStatus;
import io.loomverbs.WorkCompletions;
import io.loomverbs.support.Differences;
import io.loomverbs.support.Fixture;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** What may be closed and created when, and what a close leaves alone. */
class LifecycleTest extends Closings {
    /** Whatever is in use refuses to close with EBUSY, says what uses it, and goes on working. */
    @Test
    void whatIsInUseStaysOpen() throws Exception {
        CompletionChannel channel = f.channel();
        CompletionQueue shared = f.on(channel);
        CompletionQueue direct = f.own(f.context.createDirectCq(16, "mine", channel, 0));
        Fixture.Pair pair = f.pair(shared, direct);
        AddressHandle ah = f.own(f.pd.createAh(Fixture.addressOf(pair.b)));

        refused(
                channel::close,
                "EBUSY",
                "ibv_destroy_comp_channel",
                channel + " is used by 2 CQs (" + shared + ", " + direct + "): close them first");
        String one = " is used by 1 queue pair (%s): close it first";
        refused(shared::close, "EBUSY", "ibv_destroy_cq", shared + one.formatted(pair.a));
        refused(() -> direct.close(Duration.ZERO), "EBUSY", direct + one.formatted(pair.b));
        refused(
                f.pd::close,
                "EBUSY",
                "ibv_dealloc_pd",
                f.pd + " is used by 2 queue pairs (",
                pair.a, // numbers of queue pairs are used again: either may be the lower one
                pair.b,
                "), 1 address handle (" + ah + ") and 2 memory regions (",
                pair.aMemory,
                pair.bMemory);
        refused(
                f.context::close,
                "EBUSY",
                "ibv_close_device",
                "2 CQs (%s, %s), 1 completion channel (%s) and 1 protection domain (%s): close"
                        .formatted(shared, direct, channel, f.pd));

        shared.reqNotify(false);
        direct.reqNotify(false);
        pair.message(5, 8);
        try (CqEvent event = channel.getCqEvent(Fixture.PATIENCE)) {
            assertThat(event.cq()).isSameAs(shared);
        }
        try (CqEvent event = direct.getCqEvent(Fixture.PATIENCE)) {
            assertThat(event.cqContext()).isEqualTo("mine");
        }
        assertThat(Fixture.pollOne(shared).status()).isEqualTo(WcStatus.SUCCESS);
        assertThat(Fixture.pollOne(direct).status()).isEqualTo(WcStatus.SUCCESS);

        pair.a.close();
        refused(direct::close, "EBUSY", direct + " is used by 1 queue pair (" + pair.b + ")");
        shared.close();
        pair.b.close();
        refused(channel::close, "EBUSY", "by 1 CQ (" + direct + "): close it first");
        direct.close();
        channel.close();
        pair.aMemory.close();
        refused(f.pd::close, "EBUSY", "1 address handle", " and 1 memory region");
        pair.bMemory.close();
        refused(f.pd::close, "EBUSY", "by 1 address handle (" + ah + "): close it first");
        ah.close();
        refused(f.context::close, "EBUSY", "by 1 protection domain (" + f.pd + ")");
        f.pd.close();
    }

    /** Of many users the oldest are named, and the others counted, also when some have gone. */
    @Test
    void ofManyUsersTheOldestAreNamed() throws Exception {
        CompletionChannel channel = f.channel();
        List<CompletionQueue> cqs = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            cqs.add(f.on(channel));
        }
        refused(channel::close, "EBUSY", firstOf(cqs) + " and 9 more): close them first");
        for (int i = 0; i < 8; i++) {
            cqs.removeFirst().close();
        }
        refused(channel::close, "EBUSY", firstOf(cqs) + " and 1 more): close them first");
        cqs.removeFirst().close();
        refused(channel::close, "EBUSY", firstOf(cqs) + "): close them first");
    }

    /** A name that the program gave counts for nothing then. */
    @Test
    void theOldestAreNamedWhateverTheirNames() throws Exception {
        CompletionChannel channel = f.channel();
        List<CompletionQueue> cqs = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            cqs.add(f.on(channel));
        }
        cqs.getFirst().named("the completions of the first connection");
        refused(channel::close, "EBUSY", firstOf(cqs) + " and 1 more): close them first");
    }

    private static String firstOf(List<CompletionQueue> cqs) {
        return " is used by %d CQs (%s, %s, %s"
                .formatted(cqs.size(), cqs.get(0), cqs.get(1), cqs.get(2));
    }

    /** Contexts of one device are apart: closing one leaves the others as they are. */
    @Test
    void contextsAreApart() throws Exception {
        Context other = f.context.device().open();
        CompletionChannel channel = other.createCompChannel();
        channel.close();
        other.close();
        assertThatThrownBy(other::allocPd).isInstanceOf(ClosedException.class);
        f.pair(f.direct(), f.direct()).message(1, 4);
    }

    /** What cannot be created counts as a user of nothing. */
    @Test
    void aFailedCreationLeavesNoTrace() {
        CompletionChannel channel = f.channel();
        CompletionQueue closed = f.polled();
        closed.close();
        CompletionQueue open = f.polled();
        assertThatThrownBy(() -> f.pd.createQp(QpConfig.of(QpType.RC, open, closed)))
                .isInstanceOf(ClosedException.class)
                .hasMessageContaining(closed.toString());
        open.close();
        assertThatThrownBy(() -> f.context.createCq(0, null, channel, 0))
                .isInstanceOf(IllegalArgumentException.class);
        channel.close();
        assertThatThrownBy(() -> f.context.createCq(1, null, channel, 0))
                .isInstanceOf(ClosedException.class)
                .hasMessageContaining(channel.toString());
    }

    /** A device that is out of something says ENOMEM, and has it again when one is closed. */
    @Test
    @Timeout(900) // a real device grants tens of thousands, with a system call each
    void anExhaustedDeviceRecovers() {
        int max = f.context.attributes().maxPd();
        List<ProtectionDomain> pds = new ArrayList<>();
        try {
            refused(
                    () -> {
                        for (int i = 0; i <= max; i++) {
                            pds.add(f.context.allocPd());
                        }
                    },
                    Differences.exhausted(),
                    "ibv_alloc_pd");
            pds.removeLast().close();
            pds.add(f.context.allocPd());
        } finally {
            pds.forEach(ProtectionDomain::close);
        }
    }

    /** Completions that have arrived stay in the CQ when the queue pair is destroyed. */
    @Test
    void completionsOutliveTheQueuePair() {
        CompletionQueue sends = f.polled();
        CompletionQueue receives = f.polled();
        Fixture.Pair pair = f.pair(sends, receives);
        pair.message(9, 8);
        Fixture.pollOne(sends);
        pair.a.close();
        pair.b.close();
        if (Differences.completionsOutliveTheirQueuePair()) {
            assertThat(Fixture.pollOne(receives).wrId()).isEqualTo(9);
        } else {
            assertThat(receives.poll(WorkCompletions.allocate(1))).isZero();
        }
    }

    /** Closing a region ends its keys, and the memory of a freed arena only fails the request. */
    @Test
    void memoryThatIsGoneFailsTheRequest() {
        CompletionQueue sends = f.polled();
        Fixture.Pair pair = f.pair(sends, f.polled());
        MemoryRegion gone = f.mr(64);
        SendWorkRequest wr = SendWorkRequest.allocate(1, 0).wrId(3).send().sge(gone).signaled();
        gone.close();
        pair.recv(1);
        pair.a.postSend(wr);
        assertThat(Fixture.pollOne(sends).status()).isEqualTo(Differences.unknownLocalKey());
    }
}

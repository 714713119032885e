package io.loomverbs.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.Access;
import io.loomverbs.CompletionChannel;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.CqEvent;
import io.loomverbs.MemoryRegion;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.RecvWorkRequest;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.Serving;
import io.loomverbs.Verbs;
import io.loomverbs.WcOpcode;
import io.loomverbs.WcStatus;
import io.loomverbs.WorkCompletion;
import io.loomverbs.WorkCompletions;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** The main job in its smallest form: a message through two queue pairs, an event to a handler. */
@Timeout(30)
@SuppressWarnings("try") // explicit closes are part of what is tried
class EndToEndTest {
    /** A handler on its own virtual thread gets the message that a peer sends it. */
    @Test
    void messageReachesTheHandlerOfADirectCq() throws Exception {
        try (Context context = Verbs.device("soft0").open();
                ProtectionDomain pd = context.allocPd();
                MemoryRegion source = pd.allocateMr(64);
                MemoryRegion sink = pd.allocateMr(64, Access.LOCAL_WRITE);
                CompletionQueue sendCq = context.createDirectCq(16);
                CompletionQueue recvCq = context.createDirectCq(16);
                QueuePair sender = pd.createQp(QpConfig.of(QpType.RC, sendCq));
                QueuePair receiver = pd.createQp(QpConfig.of(QpType.RC, recvCq))) {
            sender.connect(receiver.endpoint());
            receiver.connect(sender.endpoint());
            receiver.postRecv(RecvWorkRequest.allocate(1).wrId(7).sge(sink));
            CompletableFuture<WorkCompletion> received = new CompletableFuture<>();
            Serving handler = recvCq.serve(batch -> received.complete(batch.get(0)));

            source.memory().set(ValueLayout.JAVA_LONG, 0, 42);
            sender.postSend(SendWorkRequest.allocate(1, 0).wrId(8).send().sge(source).signaled());

            WorkCompletion completion = received.get(10, TimeUnit.SECONDS);
            assertThat(completion.wrId()).isEqualTo(7);
            assertThat(completion.status()).isEqualTo(WcStatus.SUCCESS);
            assertThat(completion.opcode()).isEqualTo(WcOpcode.RECV);
            assertThat(completion.byteLen()).isEqualTo(64);
            assertThat(sink.memory().get(ValueLayout.JAVA_LONG, 0)).isEqualTo(42);

            WorkCompletions sent = WorkCompletions.allocate(4);
            assertThat(sendCq.await(sent, 1, Duration.ofSeconds(10))).isEqualTo(1);
            assertThat(sent.wrId(0)).isEqualTo(8);
            receiver.close();
            recvCq.close();
            assertThat(handler.join(Duration.ofSeconds(10))).isTrue();
        }
    }

    /** The same through a channel, in verbs' own words: arm, poll, get, ack. */
    @Test
    void messageRaisesAnEventOnTheChannel() throws Exception {
        try (Context context = Verbs.device("soft0").open();
                ProtectionDomain pd = context.allocPd();
                CompletionChannel channel = context.createCompChannel();
                MemoryRegion memory = pd.allocateMr(128, Access.LOCAL_WRITE);
                CompletionQueue cq = context.createCq(16, "mine", channel, 0);
                QueuePair sender = pd.createQp(QpConfig.of(QpType.RC, cq));
                QueuePair receiver = pd.createQp(QpConfig.of(QpType.RC, cq))) {
            sender.connect(receiver.endpoint());
            receiver.connect(sender.endpoint());
            receiver.postRecv(RecvWorkRequest.allocate(1).sge(memory, 64, 64));
            cq.reqNotify(false);
            assertThat(channel.tryGetCqEvent()).isNull();

            sender.postSend(SendWorkRequest.allocate(1, 0).send().sge(memory, 0, 64));

            try (CqEvent event = channel.getCqEvent()) {
                assertThat(event.cq()).isSameAs(cq);
                assertThat(event.cqContext()).isEqualTo("mine");
                assertThat(cq.unackedEvents()).isEqualTo(1);
            }
            assertThat(cq.unackedEvents()).isZero();
            assertThat(cq.poll(WorkCompletions.allocate(4))).isEqualTo(1);
        }
    }
}

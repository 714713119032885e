package examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.Access;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.MemoryRegion;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.Verbs;
import io.loomverbs.WcStatus;
import io.loomverbs.WorkCompletions;
import io.loomverbs.testkit.Distribution;
import io.loomverbs.testkit.Faults;
import io.loomverbs.testkit.junit.FailOnLeaks;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import java.time.Duration;

/** How a program is tested against faults; the guide shows it. */
@ExtendWith(FailOnLeaks.class)
class StressTest {
    private static final Access[] ACCESS = {Access.LOCAL_WRITE, Access.REMOTE_WRITE};

    @Test
    void theThirdRequestFails() throws Exception {
        try (Context context = Verbs.device("soft0").open();
                ProtectionDomain pd = context.allocPd();
                MemoryRegion memory = pd.allocateMr(64, ACCESS);
                CompletionQueue cq = context.createDirectCq(16);
                QueuePair qp = pd.createQp(QpConfig.of(QpType.RC, cq))) {
            qp.init(ACCESS);
            qp.connect(qp.endpoint());
            Faults faults =
                    Faults.of(context)
                            .seed(42)
                            .delay(Distribution.uniform(Duration.ZERO, Duration.ofMillis(1)))
                            .failSend(3, WcStatus.RETRY_EXC_ERR);
            for (int i = 0; i < 4; i++) {
                qp.postSend(
                        SendWorkRequest.allocate(1, 0)
                                .rdmaWrite(memory.memory().address(), memory.rkey())
                                .sge(memory, 0, 8)
                                .signaled());
            }
            WorkCompletions batch = WorkCompletions.allocate(4);
            cq.await(batch, 4);
            assertThat(batch.status(2)).as("%s", faults).isEqualTo(WcStatus.RETRY_EXC_ERR);
            assertThat(batch.status(3)).as("%s", faults).isEqualTo(WcStatus.WR_FLUSH_ERR);
        }
    }
}

package io.loomverbs.internal.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** A carrier more while a thread blocks, and not a moment longer. */
@Timeout(60)
class SchedulerCarriersTest {
    private static final class Fake implements SchedulerCarriers.Scheduler {
        private int parallelism = 2;
        private boolean limited;
        private boolean unknown;

        @Override
        public int parallelism() {
            return parallelism;
        }

        @Override
        public void parallelism(int n) {
            if (limited) {
                throw new IllegalArgumentException("at the limit");
            }
            parallelism = n;
        }

        @Override
        public boolean hasQueued() {
            if (unknown) {
                throw new OutOfMemoryError("planted");
            }
            return false;
        }
    }

    private final Fake scheduler = new Fake();
    private final SchedulerCarriers carriers = new SchedulerCarriers(scheduler);

    @Test
    void eachLoanCountsOnce() {
        assertThat(carriers.borrow()).isTrue();
        assertThat(carriers.borrow()).isTrue();
        assertThat(scheduler.parallelism).isEqualTo(4);
        carriers.giveBack();
        assertThat(scheduler.parallelism).isEqualTo(3);
        carriers.giveBack();
        assertThat(scheduler.parallelism).isEqualTo(2);
        assertThat(carriers.borrow()).isTrue();
        carriers.giveBack();
        assertThat(scheduler.parallelism).isEqualTo(2);
    }

    /** Whatever the application sets stays as it has set it. */
    @Test
    void somebodyElsesChangeIsLeftAlone() {
        assertThat(carriers.borrow()).isTrue();
        scheduler.parallelism = 8;
        carriers.giveBack();
        assertThat(scheduler.parallelism).isEqualTo(8);
        assertThat(carriers.borrow()).isFalse();
        assertThat(scheduler.parallelism).isEqualTo(8);
    }

    @Test
    void somebodyElsesChangeIsSeenByTheNextLoan() {
        assertThat(carriers.borrow()).isTrue();
        scheduler.parallelism = 1;
        assertThat(carriers.borrow()).isFalse();
        carriers.giveBack();
        assertThat(scheduler.parallelism).isEqualTo(1);
    }

    /** While nothing is lent the application may set what it likes. */
    @Test
    void aChangeBetweenLoansIsTheNewStart() {
        assertThat(carriers.borrow()).isTrue();
        carriers.giveBack();
        scheduler.parallelism = 5;
        assertThat(carriers.borrow()).isTrue();
        assertThat(scheduler.parallelism).isEqualTo(6);
        carriers.giveBack();
        assertThat(scheduler.parallelism).isEqualTo(5);
    }

    @Test
    void aRefusalIsForGood() {
        scheduler.limited = true;
        assertThat(carriers.borrow()).isFalse();
        scheduler.limited = false;
        assertThat(carriers.borrow()).isFalse();
        assertThat(new SchedulerCarriers(null).borrow()).isFalse();
    }

    @Test
    void aLoanThatFailsIsGivenBack() {
        scheduler.unknown = true;
        assertThatThrownBy(carriers::borrow).isInstanceOf(OutOfMemoryError.class);
        assertThat(scheduler.parallelism).isEqualTo(2);
    }

    /** Who gives back goes on; the limit may have changed meanwhile. */
    @Test
    void aRefusedReturnThrowsNothing() {
        assertThat(carriers.borrow()).isTrue();
        scheduler.limited = true;
        carriers.giveBack();
        assertThat(carriers.borrow()).isFalse();
    }

    /** The JDK's scheduler: blocked carriers are made up for, and nothing stays raised. */
    @Test
    void theJdksSchedulerRunsOthersMeanwhile() throws Exception {
        SchedulerCarriers.Scheduler jdk = SchedulerCarriers.Scheduler.find();
        assertThat(jdk).isNotNull();
        int before = jdk.parallelism();
        Carriers ofJdk = SchedulerCarriers.get();
        int blockers = 4;
        CountDownLatch blocked = new CountDownLatch(blockers);
        CountDownLatch over = new CountDownLatch(blockers);
        done = false;
        for (int i = 0; i < blockers; i++) {
            Thread.ofVirtual()
                    .start(
                            () -> {
                                assertThat(ofJdk.borrow()).isTrue();
                                blocked.countDown();
                                while (!done) { // holds its carrier
                                    Thread.onSpinWait();
                                }
                                ofJdk.giveBack();
                                over.countDown();
                            });
        }
        assertThat(blocked.await(20, TimeUnit.SECONDS)).isTrue();
        assertThat(jdk.parallelism()).isEqualTo(before + blockers);
        CountDownLatch ran = new CountDownLatch(1);
        Thread.ofVirtual().start(ran::countDown);
        assertThat(ran.await(20, TimeUnit.SECONDS)).isTrue();
        done = true;
        assertThat(over.await(20, TimeUnit.SECONDS)).isTrue();
        assertThat(jdk.parallelism()).isEqualTo(before);
    }

    private volatile boolean done;
}

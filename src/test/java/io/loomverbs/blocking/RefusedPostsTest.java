package io.loomverbs.blocking;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.Access;
import io.loomverbs.ClosedException;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.MemoryRegion;
import io.loomverbs.Opened;
import io.loomverbs.PostException;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpConfig;
import io.loomverbs.QpState;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.VerbsException;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.PostResult;
import io.loomverbs.internal.device.QpOps;
import io.loomverbs.support.Fixture;
import io.loomverbs.support.Fixture.Task;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;

/** Posts of many threads' requests at once, of which the device refuses some. */
@Timeout(60)
class RefusedPostsTest {
    private static final int DEPTH = 16;
    private static final int RECEIVES = 4;
    private static final Access[] ANYTHING = Fixture.anything();

    private final FaultyDevice device = new FaultyDevice();
    private final Fixture f = new Fixture(); // its threads
    private final List<Integer> chains = new CopyOnWriteArrayList<>();
    private Context context;
    private ProtectionDomain pd;
    private CompletionQueue cq;
    private QueuePair qp;
    private QueuePair peer;
    private MemoryRegion memory;
    private Requests requests;

    @BeforeEach
    void open() {
        context = f.own(Opened.open(device));
        pd = f.own(context.allocPd());
        cq = f.own(context.createDirectCq(DEPTH + RECEIVES));
        memory = f.own(pd.allocateMr(Fixture.BUFFER, ANYTHING));
        qp = f.own(pd.createQp(QpConfig.of(QpType.RC, cq).withWr(DEPTH, RECEIVES)));
        peer = f.own(pd.createQp(QpConfig.of(QpType.RC, cq).withWr(1, 1)));
        qp.init(ANYTHING);
        peer.init(ANYTHING);
        qp.connect(peer.endpoint());
        peer.connect(qp.endpoint());
        requests = f.own(Requests.over(qp));
    }

    @AfterEach
    void nothingIsLeft() throws Exception {
        f.close();
    }

    private Void write() throws InterruptedException {
        requests.write(Buffer.of(memory, 0, 8), RemoteRegion.of(memory).slice(8, 8));
        return null;
    }

    private Void writeForeignMemory() throws InterruptedException {
        MemoryRegion foreign = f.mr(8);
        requests.execute(wr -> wr.rdmaWrite(memory.address(), memory.rkey()).sge(foreign));
        return null;
    }

    /**
     * Has these requests posted with one call, in this order, and {@code second} instead of that
     * call. What comes during it follows.
     */
    private List<Task<Void>> postTogether(
            FaultyDevice.Posting second, List<Callable<Void>> together, List<Callable<Void>> during)
            throws Exception {
        CountDownLatch first = new CountDownLatch(1);
        CountDownLatch others = new CountDownLatch(1);
        device.sends =
                (ops, wr) -> {
                    chains.add(FaultyDevice.length(wr));
                    if (chains.size() == 1) {
                        await(first);
                        return ops.postSend(wr);
                    }
                    if (chains.size() == 2) {
                        await(others);
                        return second.post(ops, wr);
                    }
                    return ops.postSend(wr);
                };
        Task<Void> poster = f.start("poster", this::write).parked();
        List<Task<Void>> tasks = new ArrayList<>();
        for (Callable<Void> body : together) {
            tasks.add(f.start("together", body).parked());
        }
        first.countDown();
        Fixture.eventually("the second post", () -> chains.size() == 2);
        for (Callable<Void> body : during) {
            tasks.add(f.start("during", body).parked());
        }
        others.countDown();
        tasks.add(poster);
        return tasks;
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** Those before it and behind it, also those that came meanwhile, are executed. */
    @Test
    void aRefusedRequestOfAChainFailsAlone() throws Exception {
        List<Task<Void>> tasks =
                postTogether(
                        (ops, wr) -> FaultyDevice.refuse(ops, wr, 1),
                        List.of(this::write, this::write, this::write, this::write),
                        List.of(this::write, this::write));
        assertThat(chains.get(1)).isEqualTo(4);
        assertThat(tasks.remove(1).failure()).isInstanceOf(PostException.class);
        for (Task<Void> task : tasks) {
            task.get();
        }
        assertThat(qp.state()).isEqualTo(QpState.RTS);
        write();
    }

    /** What was posted before it is not signaled, and nothing that follows would complete it. */
    @Test
    void nothingWaitsForACompletionThatDoesNotCome() throws Exception {
        List<Task<Void>> tasks =
                postTogether(
                        (ops, wr) -> FaultyDevice.refuse(ops, wr, 1),
                        List.of(this::write, this::write),
                        List.of());
        assertThat(tasks.get(0).failure()).isInstanceOf(RequestFailedException.class);
        assertThat(tasks.get(1).failure()).isInstanceOf(PostException.class);
        assertThatThrownBy(this::write).isInstanceOf(RequestFailedException.class);
        assertThat(chains).as("the probe comes alone").containsExactly(1, 2, 1);
    }

    /** What its caller has described wrongly is posted alone: else those before it would fail. */
    @Test
    void aRefusedRequestOfAnotherThreadBreaksNothing() throws Exception {
        List<Task<Void>> tasks =
                postTogether(
                        QpOps::postSend, List.of(this::write, this::fetchIntoTooLittle), List.of());
        assertThat(tasks.remove(1).failure()).isInstanceOf(PostException.class);
        for (Task<Void> task : tasks) {
            task.get();
        }
        assertThat(qp.state()).isEqualTo(QpState.RTS);
        write();
    }

    private Void fetchIntoTooLittle() throws InterruptedException {
        requests.execute(
                wr -> wr.fetchAndAdd(memory.address(), memory.rkey(), 1).sge(memory, 0, 4));
        return null;
    }

    /** No completion tells the closer of it, and another thread polls. */
    @Test
    void aCloserIsToldOfALastPostThatIsRefused() throws Exception {
        BufferPool pool = f.own(BufferPool.of(pd, 64, RECEIVES));
        QueuePair other = f.own(pd.createQp(QpConfig.of(QpType.RC, cq).withWr(0, RECEIVES)));
        other.init(ANYTHING);
        RequestsConfig config = RequestsConfig.of().withReceives(RECEIVES, pool);
        Requests others = f.own(Requests.over(other, config));
        Task<Message> leader = f.start("leader", () -> others.receive()).parked();
        CountDownLatch refusal = new CountDownLatch(1);
        device.sends =
                (_, _) -> {
                    await(refusal);
                    return PostResult.failed(Errno.ENOMEM, 0);
                };
        Task<Void> poster = f.start("poster", this::write).parked();
        Task<Void> closer = f.start("closer", this::close).parked();
        refusal.countDown();
        closer.get();
        assertThat(poster.failure()).isInstanceOf(PostException.class);
        others.close();
        assertThat(leader.failure()).isInstanceOf(ClosedException.class);
    }

    private Void close() {
        requests.close();
        return null;
    }

    /** They were taken out of the backlog, and are not posted yet. */
    @Test
    void anErrorBeforeThePostLosesNoRequest() throws Exception {
        requests.close();
        QueuePair fresh = f.own(pd.createQp(QpConfig.of(QpType.RC, cq).withWr(DEPTH, 0)));
        fresh.init(ANYTHING);
        fresh.connect(fresh.endpoint());
        Attachment link =
                Attachment.of(
                        fresh,
                        new Buffer[0],
                        Reservation.of(fresh, RequestsConfig.of(), fresh.config()));
        CountDownLatch first = new CountDownLatch(1);
        device.sends =
                (ops, wr) -> {
                    await(first);
                    return ops.postSend(wr);
                };
        Task<Void> poster = f.start("poster", () -> submit(link)).parked();
        link.send().prepareAtomics();
        Request before = write(link);
        Request incomplete = link.send().take(Op.FETCH_ADD); // its description fails
        Request behind = write(link);
        for (Request r : List.of(before, incomplete, behind)) {
            link.send().submit(r);
        }
        first.countDown();
        assertThat(poster.failure()).isInstanceOf(AssertionError.class);
        incomplete.remote = RemoteRegion.of(memory).slice(0, 8);
        for (Request r : List.of(before, incomplete, behind)) {
            assertThat(link.sends().await(r, Fixture.PATIENCE.toNanos())).as("%s", r).isTrue();
            r.check();
        }
        link.close();
    }

    private Void submit(Attachment link) {
        link.send().submit(write(link));
        return null;
    }

    private Request write(Attachment link) {
        Request r = link.send().take(Op.WRITE);
        r.wr.rdmaWrite(memory.address(), memory.rkey()).sge(memory, 8, 8);
        return r;
    }

    /** Nothing of its chain was posted: the others are posted one by one, then chains again. */
    @Test
    void aWrongRequestOfAChainFailsAlone() throws Exception {
        List<Task<Void>> tasks =
                postTogether(
                        QpOps::postSend,
                        List.of(this::write, this::writeForeignMemory, this::write),
                        List.of());
        assertThat(tasks.remove(1).failure())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("pd");
        for (Task<Void> task : tasks) {
            task.get();
        }
        assertThat(chains).containsExactly(1, 1, 1);
        chains.clear();
        tasks = postTogether(QpOps::postSend, List.of(this::write, this::write), List.of());
        for (Task<Void> task : tasks) {
            task.get();
        }
        assertThat(chains).containsExactly(1, 2);
    }

    /** The device does not say which were posted: none were, so none is completed. */
    @Test
    void requestsWhoseFateIsUnknownEnd() throws Exception {
        endAll((_, _) -> PostResult.failed(Errno.EIO, PostResult.UNKNOWN)).get();
    }

    /** The same if some were posted. */
    @Test
    void requestsOfWhichSomeWerePostedEnd() throws Exception {
        endAll(
                        (ops, wr) -> {
                            FaultyDevice.refuse(ops, wr, 1);
                            return PostResult.failed(Errno.EIO, PostResult.UNKNOWN);
                        })
                .get();
    }

    /** An Error of the thread that posts, such as a lack of stack, strands no other. */
    @Test
    void requestsThatAnErrorMetEnd() throws Exception {
        Error error = new StackOverflowError("planted");
        Task<Void> poster =
                endAll(
                        (_, _) -> {
                            throw error;
                        });
        assertThat(poster.failure()).isSameAs(error);
    }

    private Task<Void> endAll(FaultyDevice.Posting second) throws Exception {
        List<Task<Void>> tasks =
                postTogether(second, List.of(this::write, this::write), List.of(this::write));
        Task<Void> poster = tasks.removeLast();
        for (Task<Void> task : tasks) {
            assertThat(task.failure()).isInstanceOf(RequestFailedException.class);
        }
        requests.close();
        assertThat(qp.state()).isEqualTo(QpState.ERR);
        return poster;
    }

    /** A receive that is refused at the start: nothing is left of the requests. */
    @Test
    void receivesThatAreRefusedLeaveNothing() {
        BufferPool pool = f.own(BufferPool.of(pd, 64, RECEIVES));
        requests.close();
        QueuePair other = f.own(pd.createQp(QpConfig.of(QpType.RC, cq).withWr(DEPTH, RECEIVES)));
        other.init(ANYTHING);
        RequestsConfig config = RequestsConfig.of().withReceives(RECEIVES, pool);
        device.goodReceives.set(1);
        assertThatThrownBy(() -> Requests.over(other, config)).isInstanceOf(VerbsException.class);
        assertThat(Dispatcher.room(cq)).isEqualTo(cq.cqe());
        QueuePair another = f.own(pd.createQp(QpConfig.of(QpType.RC, cq).withWr(DEPTH, RECEIVES)));
        another.init(ANYTHING);
        Requests made = Requests.over(another, config);
        assertThat(pool.available()).isZero();
        made.close();
        assertThat(pool.available()).isEqualTo(RECEIVES);
    }

    /** A slab that cannot be registered leaves its buffer for another try. */
    @Test
    void aRefusedRegistrationLosesNoBuffer() throws Exception {
        BufferPool pool = f.own(BufferPool.of(pd, 64, 1));
        device.goodRegions.set(0);
        assertThatThrownBy(pool::take).isInstanceOf(VerbsException.class);
        assertThat(pool.available()).isOne();
        pool.take().close();
        assertThat(pool.available()).isOne();
    }
}

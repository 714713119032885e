package io.loomverbs.internal.ibverbs;

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
import io.loomverbs.VerbsException;
import io.loomverbs.WcStatus;
import io.loomverbs.WorkCompletions;
import io.loomverbs.blocking.Requests;
import io.loomverbs.support.ChildJvm;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.lang.ref.WeakReference;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * Applications that come and go in one JVM, each with a class loader of its own, as in a server:
 * they open a device, wait, have timers and handlers run, fail, and close. Then nothing keeps them,
 * and the JVM is as before. Each brings the library along, or they share it.
 */
@Timeout(240)
class UnloadingTest {
    /** What an application may not reach by itself: devices made by hand. */
    public static final class HandMade {
        private HandMadeDevice device;

        public Context open() throws IOException {
            device = HandMadeDevice.create();
            return device.open();
        }

        public void event() {
            device.last().event();
        }

        public void close() {
            device.free();
        }

        /** After the channel that was made last. */
        public void closePipe() {
            Posix.close(device.last().channel().ends().write());
        }
    }

    /** The application; loaded once for each. */
    @SuppressWarnings("try") // explicit closes are part of what is tried
    public static final class Application {
        /** Everything that an application may leave somewhere. */
        private static final InheritableThreadLocal<Object> INHERITED =
                new InheritableThreadLocal<>();

        private static final Duration PATIENCE = Duration.ofSeconds(20);
        private static final int ROUNDS = 8;

        private final Object mine = new Object();

        private Application() {}

        public static void handMade() throws Exception {
            INHERITED.set(new Application());
            new Application().waitOnAHandMadeDevice();
        }

        public static void soft() throws Exception {
            INHERITED.set(new Application());
            new Application().sendOnSoft0();
        }

        /** Closes nothing. Its context is reported, and keeps nothing. */
        public static void dropped() throws Exception {
            INHERITED.set(new Application());
            Object mine = new Application();
            Context context = Verbs.device("soft0").open();
            ProtectionDomain pd = context.allocPd();
            CompletionQueue cq = context.createDirectCq(16, mine, null, 0);
            MemoryRegion _ = pd.allocateMr(64, Access.LOCAL_WRITE);
            QueuePair qp = pd.createQp(QpConfig.of(QpType.RC, cq).withQpContext(mine));
            Requests _ = Requests.over(qp);
        }

        /**
         * Waits again and again, beside others that do the same; ends when the context is closed.
         */
        public static Runnable waiter() throws Exception {
            HandMade device = new HandMade();
            Context context = device.open();
            CompletionChannel channel = context.createCompChannel();
            CompletionQueue cq = context.createCq(1, null, channel, 0);
            Callable<Object> wait =
                    () -> {
                        channel.getCqEvent().close();
                        return null;
                    };
            FutureTask<Object> rounds =
                    inVirtualThread(
                            new FutureTask<>(
                                    () -> {
                                        for (int i = 0; i < ROUNDS; i++) {
                                            FutureTask<Object> one = new FutureTask<>(wait);
                                            Thread.ofVirtual().start(one);
                                            Thread.sleep(150); // longer than anything is kept
                                            device.event();
                                            one.get(20, TimeUnit.SECONDS);
                                        }
                                        return null;
                                    }));
            return () -> {
                try {
                    rounds.get(60, TimeUnit.SECONDS);
                } catch (Exception e) {
                    throw new IllegalStateException(e);
                }
                cq.close();
                device.closePipe();
                channel.close();
                context.close();
                device.close();
            };
        }

        private static <T> FutureTask<T> inVirtualThread(FutureTask<T> task) {
            Thread.ofVirtual().start(task);
            return task;
        }

        private void waitOnAHandMadeDevice() throws Exception {
            HandMade device = new HandMade();
            try (Context context = device.open()) {
                try (CompletionChannel channel = context.createCompChannel();
                        CompletionQueue cq = context.createCq(1, mine, channel, 0)) {
                    for (int i = 0; i < 3; i++) {
                        FutureTask<Object> task =
                                inVirtualThread(
                                        new FutureTask<>(
                                                () -> {
                                                    try (CqEvent event = channel.getCqEvent()) {
                                                        return event.cqContext();
                                                    }
                                                }));
                        Thread.sleep(5); // until it waits
                        device.event();
                        assertThat(task.get(20, TimeUnit.SECONDS)).isSameAs(mine);
                    }
                    device.closePipe();
                }
            }
            device.close();
            Verbs.unavailabilityCause();
        }

        private void sendOnSoft0() throws Exception {
            try (Context context = Verbs.device("soft0").open();
                    ProtectionDomain pd = context.allocPd();
                    MemoryRegion memory = pd.allocateMr(64, Access.LOCAL_WRITE);
                    CompletionQueue sendCq = context.createDirectCq(16);
                    CompletionQueue recvCq = context.createDirectCq(16);
                    QueuePair sender = pd.createQp(QpConfig.of(QpType.RC, sendCq));
                    QueuePair receiver = pd.createQp(QpConfig.of(QpType.RC, recvCq))) {
                sender.connect(receiver.endpoint());
                receiver.connect(sender.endpoint());
                CompletableFuture<WcStatus> received = new CompletableFuture<>();
                Serving handler = recvCq.serve(batch -> received.complete(batch.status(0)));
                // First: it has to be sent again, by the timer.
                sender.postSend(SendWorkRequest.allocate(1, 0).send().sge(memory).signaled());
                receiver.postRecv(RecvWorkRequest.allocate(1).sge(memory));
                assertThat(received.get(20, TimeUnit.SECONDS)).isEqualTo(WcStatus.SUCCESS);
                WorkCompletions sent = WorkCompletions.allocate(1);
                assertThat(sendCq.await(sent, 1, PATIENCE)).isEqualTo(1);
                try {
                    recvCq.resize(-1);
                } catch (IllegalArgumentException | VerbsException refused) {
                    // An exception whose stack trace keeps the application.
                }
                receiver.close();
                recvCq.close();
                assertThat(handler.join(PATIENCE)).isTrue();
            }
        }
    }

    /** Many applications, one after the other. Arguments: kind, how many, whether they share. */
    static final class Server {
        private static final long PATIENCE_NANOS = 20_000_000_000L;

        private Server() {}

        public static void main(String[] args) throws Exception {
            boolean shared = Boolean.parseBoolean(args[2]);
            ClassLoader library = shared ? new URLClassLoader(classPath(), platform()) : null;
            deploy(args[0], library); // what comes once in a JVM comes now
            settle(List.of());
            int parallelism = parallelism();
            int descriptors = descriptors();
            List<WeakReference<ClassLoader>> loaders = new ArrayList<>();
            for (int i = 0; i < Integer.parseInt(args[1]); i++) {
                loaders.add(deploy(args[0], library));
            }
            settle(loaders);
            System.out.println("kept " + loaders.stream().filter(l -> l.get() != null).count());
            System.out.println("parallelism +" + (parallelism() - parallelism));
            System.out.println("descriptors +" + Math.max(0, descriptors() - descriptors));
            System.out.println("threads " + threads());
            System.out.println("property " + System.getProperty("loomverbs.raisedParallelism"));
        }

        /** Until everything is gone that goes. */
        private static void settle(List<WeakReference<ClassLoader>> loaders)
                throws InterruptedException {
            await(
                    () -> {
                        System.gc();
                        return threads().isEmpty()
                                && loaders.stream().allMatch(loader -> loader.get() == null);
                    });
        }

        private static void await(BooleanSupplier what) throws InterruptedException {
            long start = System.nanoTime();
            while (!what.getAsBoolean() && System.nanoTime() - start < PATIENCE_NANOS) {
                Thread.sleep(50);
            }
        }

        private static WeakReference<ClassLoader> deploy(String kind, ClassLoader library)
                throws Exception {
            URLClassLoader loader =
                    library == null
                            ? new URLClassLoader(classPath(), platform())
                            : new OfApplication(library);
            FutureTask<Object> task =
                    new FutureTask<>(
                            () ->
                                    loader.loadClass(Application.class.getName())
                                            .getMethod(kind)
                                            .invoke(null));
            Thread thread = Thread.ofPlatform().unstarted(task);
            thread.setContextClassLoader(loader);
            thread.start();
            task.get(60, TimeUnit.SECONDS);
            thread.join();
            loader.close();
            return new WeakReference<>(loader);
        }
    }

    /** Two applications, each with its own copy of the library, that wait side by side. */
    static final class TwoCopies {
        private TwoCopies() {}

        public static void main(String[] args) throws Exception {
            int parallelism = parallelism();
            List<Runnable> ends = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                URLClassLoader loader = new URLClassLoader(classPath(), platform());
                ends.add(
                        (Runnable)
                                loader.loadClass(Application.class.getName())
                                        .getMethod("waiter")
                                        .invoke(null));
            }
            int most = 0;
            for (int i = 0; i < 100; i++) {
                Thread.sleep(10);
                most = Math.max(most, parallelism() - parallelism);
            }
            System.out.println("while both wait +" + most);
            ends.get(0).run();
            System.out.println("one closed +" + (parallelism() - parallelism));
            ends.get(1).run();
            System.out.println("both closed +" + (parallelism() - parallelism));
        }
    }

    /** Loads the application itself, and has the rest from the library's loader. */
    private static final class OfApplication extends URLClassLoader {
        OfApplication(ClassLoader library) {
            super(new URL[0], library);
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            if (!name.startsWith(Application.class.getName())) {
                return super.loadClass(name, resolve);
            }
            Class<?> loaded = findLoadedClass(name);
            return loaded != null ? loaded : define(name);
        }

        private Class<?> define(String name) throws ClassNotFoundException {
            try (InputStream in =
                    getParent().getResourceAsStream(name.replace('.', '/') + ".class")) {
                byte[] bytes = in.readAllBytes();
                return defineClass(name, bytes, 0, bytes.length);
            } catch (IOException e) {
                throw new ClassNotFoundException(name, e);
            }
        }
    }

    private static ClassLoader platform() {
        return ClassLoader.getPlatformClassLoader();
    }

    private static URL[] classPath() {
        List<URL> urls = new ArrayList<>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
            try {
                urls.add(Path.of(entry).toUri().toURL());
            } catch (MalformedURLException e) {
                throw new AssertionError(e);
            }
        }
        return urls.toArray(URL[]::new);
    }

    private static int parallelism() {
        return ManagementFactory.getPlatformMXBean(
                        jdk.management.VirtualThreadSchedulerMXBean.class)
                .getParallelism();
    }

    private static int descriptors() {
        return new File("/proc/self/fd").list().length;
    }

    private static List<String> threads() {
        return Thread.getAllStackTraces().keySet().stream()
                .map(Thread::getName)
                .filter(name -> name.contains("loomverbs") || name.contains("poller"))
                .sorted()
                .toList();
    }

    @Test
    void twoCopiesOfTheLibraryRaiseTheParallelismByOneEach() throws Exception {
        HandMadeDevice.assumeLibrary();
        assertThat(ChildJvm.run(TwoCopies.class, List.of()))
                .isEqualTo("while both wait +2\none closed +1\nboth closed +0\n");
    }

    /** An application that closes nothing is reported, and can be unloaded nevertheless. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whatIsDroppedIsNotKeptByItsReport(boolean shared) throws Exception {
        String printed =
                ChildJvm.run(
                        Server.class,
                        List.of(
                                "-XX:SoftRefLRUPolicyMSPerMB=0",
                                "-XX:+UseSerialGC",
                                "-Dloomverbs.leakDetection=full"),
                        "dropped",
                        "10",
                        String.valueOf(shared));
        assertThat(printed).contains("kept 0\n").contains("threads []\n");
        assertThat(printed.lines().filter(line -> line.contains("was dropped and never closed")))
                .hasSize(5 * 11);
    }

    @ParameterizedTest
    @CsvSource({"handMade, 100, false", "handMade, 100, true", "soft, 30, false", "soft, 30, true"})
    void nothingIsKept(String kind, int count, boolean shared) throws Exception {
        HandMadeDevice.assumeLibrary();
        String printed =
                ChildJvm.run(
                        Server.class,
                        List.of("-XX:SoftRefLRUPolicyMSPerMB=0", "-XX:+UseSerialGC"),
                        kind,
                        String.valueOf(count),
                        String.valueOf(shared));
        assertThat(printed)
                .contains("kept 0\nparallelism +0\ndescriptors +0\nthreads []\nproperty null");
    }
}

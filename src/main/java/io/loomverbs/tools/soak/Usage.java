package io.loomverbs.tools.soak;

import io.loomverbs.tools.storm.Heap;

import jdk.management.VirtualThreadSchedulerMXBean;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The resources that the process uses when it is idle.
 *
 * @param heapBytes what is alive after full collections
 * @param rssBytes memory that is resident; -1 if the system does not report it
 * @param parallelism of the JDK's scheduler of virtual threads, which waits in the kernel raise
 * @param threads the names of platform threads, without carriers, which the scheduler starts and
 *     ends as needed
 * @param descriptors the open descriptors, each as the system describes it; empty if it does not
 */
public record Usage(
        long heapBytes,
        long rssBytes,
        int parallelism,
        List<String> threads,
        List<String> descriptors) {
    private static final Path DESCRIPTORS = Path.of("/proc/self/fd");
    private static final Path STATUS = Path.of("/proc/self/status");
    private static final Pattern RSS = Pattern.compile("VmRSS:\\s+(\\d+) kB");
    private static final String CARRIERS = "CarrierThreads";

    /** Measures it, which takes some full collections. */
    static Usage now() {
        return now(Heap.usedBytes());
    }

    /** Measures all but the heap. */
    static Usage now(long heapBytes) {
        try {
            return new Usage(heapBytes, rss(), schedulerParallelism(), names(), open());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static int schedulerParallelism() {
        VirtualThreadSchedulerMXBean scheduler =
                ManagementFactory.getPlatformMXBean(VirtualThreadSchedulerMXBean.class);
        return scheduler.getParallelism();
    }

    private static long rss() throws IOException {
        if (!Files.isReadable(STATUS)) {
            return -1;
        }
        Matcher matcher = RSS.matcher(Files.readString(STATUS));
        return matcher.find() ? Long.parseLong(matcher.group(1)) << 10 : -1;
    }

    private static List<String> names() {
        List<String> names = new ArrayList<>();
        for (Thread thread : Thread.getAllStackTraces().keySet()) {
            ThreadGroup group = thread.getThreadGroup();
            if (group != null && !group.getName().equals(CARRIERS)) {
                names.add(thread.getName());
            }
        }
        Collections.sort(names);
        return names;
    }

    private static List<String> open() throws IOException {
        List<String> open = new ArrayList<>();
        if (!Files.isDirectory(DESCRIPTORS)) {
            return open;
        }
        try (DirectoryStream<Path> descriptors = Files.newDirectoryStream(DESCRIPTORS)) {
            for (Path descriptor : descriptors) {
                try {
                    open.add(Files.readSymbolicLink(descriptor).toString());
                } catch (IOException e) {
                    // closed meanwhile
                }
            }
        }
        open.removeIf(target -> target.startsWith("/proc/")); // the listing itself
        Collections.sort(open);
        return open;
    }

    /** Describes what has grown since an earlier measurement. */
    List<String> growthSince(Usage before) {
        List<String> growth = new ArrayList<>();
        // By name: a thread that has ended since does not hide one that was left behind.
        List<String> added = added(kinds(threads), kinds(before.threads));
        if (!added.isEmpty()) {
            growth.add(more("threads", threads, before.threads, added));
        }
        if (descriptors.size() > before.descriptors.size()) {
            growth.add(
                    more(
                            "descriptors",
                            descriptors,
                            before.descriptors,
                            added(descriptors, before.descriptors)));
        }
        if (parallelism != before.parallelism) {
            growth.add(
                    "the scheduler's parallelism is "
                            + parallelism
                            + ", was "
                            + before.parallelism);
        }
        return growth;
    }

    private static String more(
            String what, List<String> now, List<String> before, List<String> added) {
        return now.size() + " " + what + ", were " + before.size() + ": " + added;
    }

    private static List<String> added(List<String> now, List<String> before) {
        List<String> added = new ArrayList<>(now);
        before.forEach(added::remove);
        return added;
    }

    /** Without numbers: a thread that takes the place of another has the next one. */
    private static List<String> kinds(List<String> names) {
        return names.stream().map(name -> name.replaceAll("\\d+", "#")).toList();
    }
}

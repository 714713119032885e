package io.loomverbs.internal.ibverbs;

import java.util.concurrent.atomic.AtomicInteger;

/** A JVM in which virtual threads have calls made at the end of their stacks. */
public final class OffCarrierEndChild {
    /** Frames at the end of the stack, from some of which it is tried. */
    private static final int FRAMES = 4_000;

    private static final int EACH = 64;

    private static final int EVERY = 16;
    private static final int WARM_UP = 200;

    private final AtomicInteger made = new AtomicInteger();
    private int frames;
    private int attempts;
    private int given;

    private OffCarrierEndChild() {}

    /** Says how many calls were made whose result no thread was given. */
    public static void main(String[] args) throws Exception {
        OffCarrierEndChild child = new OffCarrierEndChild();
        onVirtual(child::warmUp);
        onVirtual(child::fall);
        if (child.given == WARM_UP || child.given == WARM_UP + child.attempts) {
            throw new AssertionError(child.given + " results were given: the stack did not end");
        }
        onVirtual(child::warmUp); // what was handed over before is done then
        System.out.println(child.made.get() - child.given + " results are lost");
    }

    private static void onVirtual(Runnable body) throws InterruptedException {
        Thread.ofVirtual().start(body).join();
    }

    private void warmUp() {
        for (int i = 0; i < WARM_UP; i++) {
            attempt();
        }
    }

    private void attempt() {
        int number = OffCarrierCalls.run("it", made::incrementAndGet);
        given += number > 0 ? 1 : 0;
    }

    @SuppressWarnings("InfiniteRecursion") // to the end of the stack
    private void fall() {
        try {
            fall();
        } catch (StackOverflowError end) {
            // From here up it is tried.
        }
        frames++;
        if (frames < EACH || (frames < FRAMES && frames % EVERY == 0)) {
            attempts++;
            try {
                attempt();
            } catch (StackOverflowError e) {
                // Then the call must not have been made.
            }
        }
    }
}

package io.loomverbs.internal.soft;

import io.loomverbs.internal.device.RecvWr;

/** Two queue pairs of the embedded device that are connected. */
final class RacePair {
    private static final RecvWr RECEIVE = RaceQp.receiveOfNothing(2);

    final RaceQp a;
    final RaceQp b;

    /** The second has so many receives posted. */
    RacePair(int receives) {
        this(new RaceQp(), new RaceQp(), receives);
    }

    RacePair(RaceQp a, RaceQp b, int receives) {
        this.a = a;
        this.b = b;
        synchronized (RECEIVE) {
            for (int i = 0; i < receives; i++) {
                b.receive(RECEIVE);
            }
        }
        a.connect(b);
        b.connect(a);
    }

    void end() {
        a.end();
        b.end();
    }
}

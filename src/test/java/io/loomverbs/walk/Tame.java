package io.loomverbs.walk;

import io.loomverbs.AddressHandle;
import io.loomverbs.CompletionChannel;
import io.loomverbs.CompletionQueue;
import io.loomverbs.MemoryRegion;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.WorkCompletions;
import io.loomverbs.support.Fixture;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Steps on objects of which the walk has a model: traffic, events and changes of state, with the
 * right arguments or, at times, with wrong ones.
 */
final class Tame {
    static final int QKEY = 0x1111_1111;
    private static final int MOST = 6;

    final World world;
    final ProtectionDomain pd;
    final MemoryRegion mr;
    final MemoryRegion readOnly;
    final List<CompletionChannel> channels = new ArrayList<>();
    final List<TameCq> cqs = new ArrayList<>();
    final List<TameQp> qps = new ArrayList<>();

    /** Closed ones too: their completions may still be in a CQ. */
    final Map<Integer, TameQp> byNumber = new HashMap<>();

    private @Nullable AddressHandle address;
    final WorkCompletions batch = WorkCompletions.allocate(5);
    final Hazards hazards = new Hazards(this);
    private final TamePosts posts = new TamePosts(this);
    private final TameStates states = new TameStates(this);
    private final TameEvents events = new TameEvents(this);

    Tame(World world) {
        this.world = world;
        pd = made(world.first.allocPd());
        mr = made(pd.allocateMr(32 * 1024, Fixture.anything()));
        readOnly = made(pd.allocateMr(16 * 1024));
    }

    private <T> T made(T object) {
        world.add(object, true);
        world.offer(object);
        return object;
    }

    String step(Dice dice) throws InterruptedException {
        if (channels.size() < 2 && dice.oneIn(8)) {
            channels.add(made(world.first.createCompChannel()));
            return "a channel " + channels.getLast();
        }
        if (cqs.size() < 2 || (cqs.size() < MOST && dice.oneIn(10))) {
            return newCq(dice);
        }
        if (qps.size() < 2 || (qps.size() < MOST && dice.oneIn(12))) {
            return newPair(dice);
        }
        if (dice.oneIn(80)) {
            return hazards.make(dice);
        }
        String done =
                switch (dice.below(12)) {
                    case 0, 1, 2, 3 -> posts.send(dice);
                    case 4, 5 -> posts.receive(dice);
                    case 6, 7 -> events.poll(dice.of(cqs));
                    case 8, 9 -> events.step(dice);
                    case 10 -> states.change(dice);
                    default -> states.close(dice);
                };
        cqs.forEach(TameCq::check);
        return done;
    }

    private String newCq(Dice dice) {
        CompletionChannel channel = channels.isEmpty() || dice.oneIn(3) ? null : dice.of(channels);
        int cqe = dice.oneIn(6) ? dice.of(1, 3) : 200;
        CompletionQueue cq =
                dice.oneIn(2)
                        ? world.first.createDirectCq(cqe, this, channel, 0)
                        : world.first.createCq(cqe, this, channel, 0);
        cqs.add(new TameCq(world.add(cq, true)));
        return "a CQ " + cq + " of " + cqe + (cq.isDirect() ? ", direct" : " on " + channel);
    }

    private String newPair(Dice dice) {
        QpType type = dice.of(QpType.RC, QpType.RC, QpType.UC, QpType.UD);
        TameQp a = newQp(type, dice);
        TameQp b = dice.oneIn(8) ? a : newQp(type, dice);
        a.peer = b;
        b.peer = a;
        String connected = dice.oneIn(4) ? "" : ": " + states.connect(a) + states.connect(b);
        return "a pair " + a + " and " + b + connected;
    }

    private TameQp newQp(QpType type, Dice dice) {
        TameCq send = dice.of(cqs);
        TameCq recv = dice.of(cqs);
        QpConfig config =
                QpConfig.of(type, send.cq, recv.cq)
                        .withWr(dice.of(1, 4, 16), dice.of(1, 4, 16))
                        .withSge(3, 3)
                        .withInlineData(64)
                        .withSqSigAll(dice.oneIn(4));
        TameQp made = new TameQp(world.add(pd.createQp(config), true), send, recv);
        qps.add(made);
        byNumber.put(made.qp.qpNum(), made);
        return made;
    }

    /** Takes every queue pair to ERR: whatever was posted completes. */
    void end() throws InterruptedException {
        for (TameQp qp : List.copyOf(qps)) {
            states.flush(qp);
        }
        for (TameCq cq : cqs) {
            events.poll(cq);
            events.due(cq);
            cq.check();
        }
    }

    /** The address handle that leads to the port. */
    AddressHandle addressOf(TameQp peer) {
        if (address == null) {
            address = made(pd.createAh(peer.qp.addressOf(peer.qp.endpoint())));
        }
        return address;
    }

    TameEvents events() {
        return events;
    }
}

package io.loomverbs.walk;

import io.loomverbs.AhAttributes;
import io.loomverbs.CompletionChannel;
import io.loomverbs.CompletionQueue;
import io.loomverbs.Context;
import io.loomverbs.Gid;
import io.loomverbs.MemoryRegion;
import io.loomverbs.MwType;
import io.loomverbs.ProtectionDomain;
import io.loomverbs.QpConfig;
import io.loomverbs.QpType;
import io.loomverbs.QueuePair;
import io.loomverbs.SrqAttributes;
import io.loomverbs.Verbs;
import io.loomverbs.support.Fixture;

/** Makes an object of each kind, connected and with traffic, for calls of any kind to choose. */
final class Stock {
    private final World world;

    Stock(World world) {
        this.world = world;
    }

    String make(Dice dice) {
        Context context =
                dice.oneIn(3) ? world.add(Verbs.device(world.device).open(), false) : world.first;
        ProtectionDomain pd = world.add(context.allocPd(), false);
        CompletionChannel channel = world.add(context.createCompChannel(), false);
        CompletionQueue direct = world.add(context.createDirectCq(dice.of(2, 64)), false);
        CompletionQueue shared = world.add(context.createCq(64, this, channel, 0), false);
        MemoryRegion mr = world.add(pd.allocateMr(4096, Fixture.anything()), false);
        world.add(pd.allocMw(dice.of(MwType.values())), false);
        world.add(pd.createSrq(SrqAttributes.of(dice.of(1, 8))), false);
        QpType type = dice.of(QpType.values());
        QpConfig config = QpConfig.of(type, dice.of(direct, shared), dice.of(direct, shared));
        QueuePair a = world.add(pd.createQp(config), false);
        QueuePair b = world.add(pd.createQp(config.withSqSigAll(true)), false);
        if (type == QpType.UD) {
            a.activate(Tame.QKEY);
            b.activate(Tame.QKEY);
            world.add(pd.createAh(a.addressOf(b.endpoint())), false);
        } else {
            a.connect(b.endpoint());
            b.connect(a.endpoint());
        }
        world.add(config, false);
        world.add(a.endpoint(), false);
        world.add(AhAttributes.of(new Gid(1, 2), 1), false);
        direct.reqNotify(false);
        shared.reqNotify(false);
        return "stock " + a + " and " + b + " of " + mr + ", " + channel;
    }
}

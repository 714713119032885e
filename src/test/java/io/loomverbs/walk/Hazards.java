package io.loomverbs.walk;

import io.loomverbs.MemoryRegion;
import io.loomverbs.support.Fixture;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/** Registered memory that went away: its arena was closed, or its file was shortened. */
final class Hazards {
    static final int BYTES = 16 * 1024;
    private static final int LEFT = 4096;

    private final Tame tame;
    private final List<MemoryRegion> regions = new ArrayList<>();

    Hazards(Tame tame) {
        this.tame = tame;
    }

    /** One of them; {@code good} until there are some. */
    MemoryRegion any(Dice dice, MemoryRegion good) {
        return regions.isEmpty() ? good : dice.of(regions);
    }

    String make(Dice dice) {
        MemoryRegion mr = dice.oneIn(2) ? ofAClosedArena() : ofAShortenedFile();
        tame.world.add(mr, true);
        regions.add(mr);
        return "memory that went away: " + mr;
    }

    private MemoryRegion ofAClosedArena() {
        try (Arena arena = Arena.ofShared()) {
            return tame.pd.regMr(arena.allocate(BYTES), Fixture.anything());
        }
    }

    @SuppressWarnings("MustBeClosedChecker") // mapped until the collector finds it
    private MemoryRegion ofAShortenedFile() {
        try {
            Path file = Files.createTempFile("walk", null);
            try (FileChannel channel =
                    FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
                MemorySegment mapped =
                        channel.map(FileChannel.MapMode.READ_WRITE, 0, BYTES, Arena.ofAuto());
                MemoryRegion mr = tame.pd.regMr(mapped, Fixture.anything());
                channel.truncate(LEFT);
                return mr;
            } finally {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

package io.loomverbs.misuse;

import io.loomverbs.MemoryRegion;
import io.loomverbs.RecvWorkRequest;
import io.loomverbs.SendWorkRequest;

import java.lang.foreign.MemorySegment;
import java.util.List;

/** Bad scatter/gather entries of requests of either kind. */
final class SgeMisuse extends MisuseTable {
    SgeMisuse() {
        for (String type : List.of("SendWorkRequest", "RecvWorkRequest")) {
            sges(type);
        }
    }

    private interface Sge {
        void add(Scene s, MemoryRegion mr, long offset, int length);
    }

    @SuppressWarnings("restricted") // addresses that are never touched
    private void sges(String type) {
        boolean send = type.startsWith("Send");
        Sge part =
                (s, mr, offset, length) -> {
                    if (send) {
                        s.send.sge(mr, offset, length);
                    } else {
                        s.recv.sge(mr, offset, length);
                    }
                };
        Sge whole =
                (s, mr, offset, length) -> {
                    if (send) {
                        s.send.sge(mr);
                    } else {
                        s.recv.sge(mr);
                    }
                };
        String partName = type + ".sge(MemoryRegion, long, int)";
        String wholeName = type + ".sge(MemoryRegion)";
        for (long offset : new long[] {-1, 65, Long.MAX_VALUE, Long.MIN_VALUE}) {
            iae(partName, s -> part.add(s, s.mr, offset, 0), "offset is " + offset, "0 to 64");
        }
        for (int length : new int[] {-1, 61, MAX, Integer.MIN_VALUE}) {
            iae(partName, s -> part.add(s, s.mr, 4, length), "length is " + length, "0 to 60");
        }
        for (Sge sge : List.of(part, whole)) {
            String name = sge == part ? partName : wholeName;
            ise(
                    name,
                    s -> {
                        sge.add(s, s.mr, 0, 1);
                        sge.add(s, s.mr, 0, 1);
                    },
                    "1 scatter/gather entries",
                    "room for 1");
            closed(
                    name,
                    s -> {
                        MemoryRegion gone = s.f.mr(64);
                        gone.close();
                        sge.add(s, gone, 0, 1);
                    },
                    "mr[",
                    "is closed");
        }
        if (REAL) {
            // Such a region would have to be there.
            errno(
                    "ProtectionDomain.regMr(MemorySegment, Access[])",
                    s -> s.pd.regMr(MemorySegment.ofAddress(1 << 16).reinterpret(3L << 30)),
                    "ibv_reg_mr",
                    "EFAULT",
                    "3221225472 bytes",
                    "not mapped");
        } else {
            iae(
                    wholeName,
                    s -> {
                        // Never touched: 3 GiB of addresses.
                        MemorySegment huge = MemorySegment.ofAddress(1 << 16).reinterpret(3L << 30);
                        try (MemoryRegion region = s.pd.regMr(huge)) {
                            whole.add(s, region, 0, 0);
                        }
                    },
                    "3221225472",
                    MAX_S);
        }
        ise(
                type + ".sge(long, int, int)",
                s -> {
                    for (int i = 0; i < 2; i++) {
                        if (send) {
                            s.send.sge(1L, 2, 3);
                        } else {
                            s.recv.sge(1L, 2, 3);
                        }
                    }
                },
                "1 scatter/gather entries",
                "room for 1");
        if (send) {
            iae(
                    partName,
                    s -> SendWorkRequest.allocate(2, 0).sge(s.mr).sge(s.otherMr, 0, 1),
                    "mr[",
                    "pd-");
            iae(wholeName, s -> SendWorkRequest.allocate(2, 0).sge(s.mr).sge(s.otherMr), "pd-");
        } else {
            iae(partName, s -> RecvWorkRequest.allocate(2).sge(s.mr).sge(s.otherMr, 0, 1), "pd-");
            iae(wholeName, s -> RecvWorkRequest.allocate(2).sge(s.mr).sge(s.otherMr), "pd-");
        }
    }
}

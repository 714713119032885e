package io.loomverbs.misuse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.loomverbs.AddressHandle;
import io.loomverbs.RecvWorkRequest;
import io.loomverbs.SendWorkRequest;
import io.loomverbs.support.Fixture;

import java.lang.foreign.MemorySegment;

/** Bad input to work requests, but for their scatter/gather entries. */
final class RequestMisuse extends MisuseTable {
    RequestMisuse() {
        String allocateSend = "SendWorkRequest.allocate(int, int)";
        for (int n : new int[] {0, -1, 1025, MAX, Integer.MIN_VALUE}) {
            iae(allocateSend, s -> SendWorkRequest.allocate(n, 0), "maxSge is " + n, "1 to 1024");
            iae(
                    "RecvWorkRequest.allocate(int)",
                    s -> RecvWorkRequest.allocate(n),
                    "maxSge is " + n,
                    "1 to 1024");
        }
        for (int n : new int[] {-1, 65537, MAX, Integer.MIN_VALUE}) {
            iae(
                    allocateSend,
                    s -> SendWorkRequest.allocate(1, n),
                    "maxInline is " + n,
                    "0 to 65536");
        }
        String to = "SendWorkRequest.to(AddressHandle, int, int)";
        for (int qpn : new int[] {-1, 0x1000000, MAX}) {
            iae(to, s -> s.send.to(s.ah, qpn, 0), "remoteQpn is " + qpn, "24 bits");
        }
        iae(to, s -> s.send.sge(s.otherMr).to(s.ah, 1, 0), "ah-", "pd-");
        closed(
                to,
                s -> {
                    AddressHandle gone = s.f.own(s.pd.createAh(Fixture.addressOf(s.ud.b)));
                    gone.close();
                    try {
                        s.send.to(gone, 1, 0);
                    } finally {
                        // The request does not belong to the handle's protection domain now.
                        s.send.sge(s.otherMr);
                    }
                },
                "ah-",
                "is closed");
        String inline = "SendWorkRequest.inline(MemorySegment)";
        iae(
                inline,
                s -> s.send.inline(MemorySegment.ofArray(new byte[17])),
                "data.byteSize() is 17",
                "0 to 16");
        iae(inline, s -> unchanged(s, () -> s.send.inline(freed().asSlice(0, 8))), "data", "freed");
        iae(
                inline,
                s -> {
                    MemorySegment elsewhere = s.f.start("other", () -> confined()).get();
                    unchanged(s, () -> s.send.inline(elsewhere.asSlice(0, 8)));
                },
                "data",
                "confined");
        MemorySegment eight = MemorySegment.ofArray(new byte[8]);
        ise(inline, s -> s.send.sge(s.mr).inline(eight), "1 scatter/gather");
        ise(inline, s -> s.send.inline(eight).inline(eight), "already");
        ise(
                "SendWorkRequest.sge(long, int, int)",
                s -> s.send.inline(eight).sge(1L, 2, 3),
                "inline data already");
        ise(
                "SendWorkRequest.sge(MemoryRegion)",
                s -> inlineThenOtherPd(s, eight),
                "scatter/gather entries");
        iae("SendWorkRequest.next(SendWorkRequest)", s -> s.send.next(s.send), "following", "back");
        iae(
                "SendWorkRequest.next(SendWorkRequest)",
                s -> s.send.next(SendWorkRequest.allocate(1, 0).next(s.send)),
                "following");
        iae("RecvWorkRequest.next(RecvWorkRequest)", s -> s.recv.next(s.recv), "following");
        iae(
                "RecvWorkRequest.next(RecvWorkRequest)",
                s -> s.recv.next(RecvWorkRequest.allocate(1).next(s.recv)),
                "following");
    }

    private static void inlineThenOtherPd(Scene s, MemorySegment data) throws Exception {
        SendWorkRequest wr = SendWorkRequest.allocate(2, 16).inline(data);
        Throwable refused = catchThrowable(() -> wr.sge(s.mr));
        assertThat(refused).hasMessageContaining("inline data already");
        // The refused region has not tied the request to its protection domain.
        wr.to(s.otherAh, 1, 1);
        s.send.inline(data).sge(s.mr);
    }

    private static void unchanged(Scene s, Runnable attempt) {
        String before = s.send.toString();
        try {
            attempt.run();
        } finally {
            assertThat(s.send).hasToString(before);
        }
    }
}

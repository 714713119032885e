package io.loomverbs.blocking;

import java.util.List;

/**
 * The classes of this package, which are loaded together when its use begins. If a class is a file
 * in a folder, and is first needed by a failure or a close, it could not be loaded without free
 * file descriptors; {@code NoClassDefFoundError} would then replace the failure, also that of every
 * later close.
 */
final class AllClasses {
    private AllClasses() {}

    /** Loads them; does not initialize them. */
    static void load() {
        List<Class<?>> _ =
                List.of(
                        AtomicResults.class,
                        Attachment.class,
                        Attachment.Closing.class,
                        Backlog.class,
                        Breakage.class,
                        Buffer.class,
                        BufferPool.class,
                        BufferPool.PoolLoan.class,
                        Buffers.class,
                        Check.class,
                        Description.class,
                        Dispatcher.class,
                        Dispatcher.Share.class,
                        FreeList.class,
                        Goal.class,
                        Loan.class,
                        Loan.Returned.class,
                        Loan.User.class,
                        Message.class,
                        Message.OfRing.class,
                        Op.class,
                        Pace.class,
                        Parked.class,
                        Pending.class,
                        Posted.class,
                        ReceiveSide.class,
                        ReceiveSide.Slot.class,
                        RemoteRegion.class,
                        Request.class,
                        RequestCache.class,
                        RequestFailedException.class,
                        RequestInterruptedException.class,
                        RequestTimeoutException.class,
                        Requests.class,
                        RequestsConfig.class,
                        Reservation.class,
                        SendSide.class,
                        Sent.class,
                        Shown.class,
                        Succession.class,
                        Tally.class,
                        WaitList.class,
                        Waits.class,
                        WrId.class);
    }
}

package io.loomverbs.internal.ibverbs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.event.CallGate;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** No object of libibverbs is left without an owner, and no owner without its object. */
@Timeout(60)
class NativeObjectTest {
    private static final long ADDRESS = 4096;

    private final List<Long> destroyed = new ArrayList<>();
    private final Error error = new OutOfMemoryError("planted");
    private HandMadeDevice device;
    private IbvContext context;
    private int refusal;

    private final class Planted extends NativeObject<CallGate> {
        private final boolean meetsError;
        private long id;

        Planted(IbvContext of, Destructor destructor, boolean meetsError) {
            super(of, new CallGate(), destructor);
            this.meetsError = meetsError;
        }

        void create(long result) {
            create(
                    "ibv_create_it",
                    MemorySegment.NULL,
                    key -> {
                        assertThat(context.objects.get(key)).isSameAs(this);
                        id = key;
                        return result;
                    },
                    "planted");
        }

        boolean isKept() {
            return context.objects.get(id) == this;
        }

        @Override
        void created() {
            if (meetsError) {
                throw error;
            }
        }
    }

    private Planted planted(boolean meetsError) {
        return new Planted(
                context,
                (call, address) -> {
                    destroyed.add(address);
                    return refusal;
                },
                meetsError);
    }

    @BeforeEach
    void open() throws IOException {
        device = HandMadeDevice.create();
        context = device.bareContext();
    }

    @AfterEach
    void close() {
        context.close(() -> 0);
        device.closePipe();
    }

    @Test
    void whatMeetsAnErrorOnceItIsCreatedIsDestroyed() {
        Planted object = planted(true);
        assertThatThrownBy(() -> object.create(ADDRESS)).isSameAs(error);
        assertThat(destroyed).containsExactly(ADDRESS);
        assertThat(object.isKept()).isFalse();
    }

    /** The device may use its memory. */
    @Test
    void whatCannotBeDestroyedThenIsKept() {
        refusal = -Errno.EBUSY;
        Planted object = planted(true);
        assertThatThrownBy(() -> object.create(ADDRESS)).isSameAs(error);
        assertThat(object.isKept()).isTrue();
    }

    @Test
    void whatIsRefusedIsNotDestroyed() {
        Planted object = planted(false);
        assertThatThrownBy(() -> object.create(-Errno.ENOMEM)).isInstanceOf(DeviceException.class);
        assertThat(destroyed).isEmpty();
        assertThat(object.isKept()).isFalse();
    }

    /** An Error may have come between the verb and its answer. */
    @Test
    void whatIsDestroyedIsDestroyedOnce() {
        Planted object = planted(false);
        object.create(ADDRESS);
        assertThat(object.isKept()).isTrue();
        assertThat(object.destroyNative()).isZero();
        assertThat(object.isKept()).isFalse();
        assertThat(object.destroyNative()).isZero();
        assertThat(destroyed).containsExactly(ADDRESS);
    }

    @Test
    void whatIsRefusedToBeDestroyedIsKept() {
        Planted object = planted(false);
        object.create(ADDRESS);
        refusal = -Errno.EBUSY;
        assertThat(object.destroyNative()).isEqualTo(-Errno.EBUSY);
        assertThat(object.isKept()).isTrue();
        refusal = 0;
        assertThat(object.destroyNative()).isZero();
    }
}

package io.loomverbs;

import io.loomverbs.internal.device.DeviceException;
import io.loomverbs.internal.device.Errno;
import io.loomverbs.internal.device.UsualCauses;

import org.jspecify.annotations.Nullable;

/**
 * A verb failed: the device, or loomverbs on its behalf, refused the call.
 *
 * @since 0.1.0
 */
public class VerbsException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** The name of the verb. */
    private final String verb;

    /** The error number, positive. */
    private final int errno;

    VerbsException(String verb, int errno, String detail, @Nullable Throwable cause) {
        super(verb + ": " + Errno.name(errno) + ": " + detail, cause);
        this.verb = verb;
        this.errno = errno;
    }

    VerbsException(String verb, int errno, String detail) {
        this(verb, errno, detail, null);
    }

    /**
     * Creates the exception for a device's refusal.
     *
     * @param rc its negative errno
     */
    static VerbsException refused(String verb, int rc, String detail) {
        return new VerbsException(verb, -rc, detail + UsualCauses.of(verb, -rc));
    }

    static VerbsException of(String verb, DeviceException failure) {
        return new VerbsException(verb, failure.errno(), String.valueOf(failure.getMessage()));
    }

    /**
     * The verb that failed, such as {@code ibv_create_cq}.
     *
     * @return its name in libibverbs
     */
    public String verb() {
        return verb;
    }

    /**
     * The error number, as Linux has it.
     *
     * @return a positive errno
     */
    public int errno() {
        return errno;
    }

    /**
     * The symbolic name of the error number.
     *
     * @return a name such as {@code EBUSY}
     */
    public String errnoName() {
        return Errno.name(errno);
    }
}

package io.loomverbs.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomverbs.ExtendedDeviceAttributes;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Nanoseconds between two values of a device's clock. */
class DeviceClockTest {
    private static ExtendedDeviceAttributes clock(long kiloHertz, long mask) {
        return new ExtendedDeviceAttributes(0, 0, 0, 0, 0, mask, kiloHertz, 0, 0);
    }

    @ParameterizedTest
    @CsvSource({
        "1000000, -1,              5,               1005,             1000",
        "1000000, -1,              1005,            5,                -1000",
        "1000000, -1,              0x7fffffffffffffff, 0x8000000000000001, 2",
        "156250,  0xffffffffffff,  0,               156250000,        1000000000",
        "156250,  0xffffffffffff,  0xffffffffffff,  0,                6",
        "156250,  0xffffffffffff,  0xffffffffff00,  0xff,             3270",
        "78125,   0xffffffffffff,  7,               7,                0",
        "1000000, 0xffffffff,      0xfffffff0,      0x10,             32",
        "500000,  0xffffffffffff,  1,               0,                562949953421310",
    })
    void between(long kiloHertz, String mask, String from, String to, long nanos) {
        assertThat(clock(kiloHertz, number(mask)).nanos(number(from), number(to)))
                .isBetween(nanos - nanos / 1_000_000_000, nanos + nanos / 1_000_000_000);
    }

    private static long number(String text) {
        return text.startsWith("0x")
                ? Long.parseUnsignedLong(text.substring(2), 16)
                : Long.parseLong(text);
    }

    @Test
    void aDeviceWithoutAClock() {
        assertThatThrownBy(() -> clock(0, 0).nanos(1, 2))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("hca_core_clock");
    }
}

package io.loomverbs.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.support.ChildJvm;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.util.List;

/** What a device may use is there as long as its context is open, whether it is known or not. */
@Tag("device")
@Timeout(90)
class ForgottenRegionTest {
    @Test
    void aPeerFindsTheMemoryOfAForgottenRegion() throws Exception {
        assertThat(
                        ChildJvm.run(
                                List.of(),
                                List.of(ChildJvm.NATIVE_ACCESS),
                                ForgottenRegionChild.class))
                .isEqualTo(
                        """
                        forgotten: kept true, WRITE SUCCESS, READ SUCCESS, intact true
                        closed: kept false
                        """);
    }
}

package io.loomverbs;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every status of a request that has failed says what usually leads to it. */
class StatusHintTest {
    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "SUCCESS")
    void everyFailureHasAHint(WcStatus status) {
        assertThat(status.hint()).hasSizeGreaterThan(20).doesNotContain("\n").doesNotEndWith(".");
    }

    @Test
    void successNeedsNone() {
        assertThat(WcStatus.SUCCESS.hint()).isEmpty();
    }

    /** The commonest mistakes are named. */
    @Test
    void whatIsNotGrantedIsNamed() {
        assertThat(WcStatus.REM_INV_REQ_ERR.hint())
                .contains("does not allow RDMA_READ", "connect grants nothing unless asked");
        assertThat(WcStatus.REM_ACCESS_ERR.hint())
                .contains("REMOTE_READ", "connect grants nothing unless asked");
        assertThat(WcStatus.RNR_RETRY_EXC_ERR.hint()).contains("init");
        assertThat(WcStatus.RETRY_EXC_ERR.hint()).contains("PSN", "endpoint()");
    }
}

package io.loomverbs.management;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomverbs.Context;
import io.loomverbs.ContextStats;
import io.loomverbs.Verbs;

import org.junit.jupiter.api.Test;

import java.lang.management.ManagementFactory;
import java.util.List;

import javax.management.JMX;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import javax.management.StandardMBean;

/** The MXBean, as a tool sees it, and when it is there. */
class VerbsManagementTest {
    private static final MBeanServer SERVER = ManagementFactory.getPlatformMBeanServer();

    private static VerbsMXBean of(VerbsManagement management) {
        return JMX.newMXBeanProxy(SERVER, management.objectName(), VerbsMXBean.class);
    }

    @Test
    void showsOpenContexts() {
        try (VerbsManagement management = VerbsManagement.register()) {
            int others = of(management).getContexts().size();
            try (Context context = Verbs.device("soft0").open()) {
                context.createDirectCq(1).named("mine").close();
                List<ContextStats> all = of(management).getContexts();
                assertThat(all).hasSize(others + 1);
                assertThat(all.getLast()).isEqualTo(context.stats());
                assertThat(of(management).dump()).endsWith(context.dump());
            }
            assertThat(of(management).getContexts()).hasSize(others);
        }
    }

    /** It is there from the first registration to the last close, and closing twice is harmless. */
    @Test
    void isRegisteredAsLongAsItIsAskedFor() {
        VerbsManagement first = VerbsManagement.register();
        ObjectName name = first.objectName();
        VerbsManagement second = VerbsManagement.register();
        assertThat(second.objectName()).isEqualTo(name);
        first.close();
        first.close();
        assertThat(SERVER.isRegistered(name)).isTrue();
        second.close();
        assertThat(SERVER.isRegistered(name)).isFalse();
        assertThat(second.objectName()).isEqualTo(name);
        assertThat(second).hasToString("registration of " + name);
    }

    /** A copy of the library in another class loader has the name. */
    @Test
    void takesAnotherNameIfItMust() throws Exception {
        ObjectName taken = new ObjectName("io.loomverbs:type=Verbs");
        SERVER.registerMBean(new StandardMBean(new OpenContexts(), VerbsMXBean.class, true), taken);
        try (VerbsManagement management = VerbsManagement.register()) {
            assertThat(management.objectName()).hasToString(taken + ",copy=2");
            assertThat(SERVER.queryNames(new ObjectName(taken + ",*"), null))
                    .containsExactlyInAnyOrder(taken, management.objectName());
        } finally {
            SERVER.unregisterMBean(taken);
        }
    }

    /** Unregistering it by its name does not spoil the close, or the next registration. */
    @Test
    void survivesAnUnregistrationByName() throws Exception {
        VerbsManagement management = VerbsManagement.register();
        SERVER.unregisterMBean(management.objectName());
        management.close();
        try (VerbsManagement again = VerbsManagement.register()) {
            assertThat(SERVER.isRegistered(again.objectName())).isTrue();
        }
    }
}

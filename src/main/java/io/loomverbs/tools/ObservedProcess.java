package io.loomverbs.tools;

import com.sun.tools.attach.AttachNotSupportedException;
import com.sun.tools.attach.VirtualMachine;

import io.loomverbs.ContextStats;
import io.loomverbs.management.VerbsMXBean;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

import javax.management.JMX;
import javax.management.MBeanServerConnection;
import javax.management.MalformedObjectNameException;
import javax.management.ObjectName;
import javax.management.remote.JMXConnector;
import javax.management.remote.JMXConnectorFactory;
import javax.management.remote.JMXServiceURL;

/** The MXBeans of loomverbs in another JVM. */
final class ObservedProcess implements AutoCloseable {
    private static final String PATTERN = "io.loomverbs:type=Verbs,*";

    private final JMXConnector connector;
    private final List<VerbsMXBean> beans = new ArrayList<>();

    private ObservedProcess(JMXConnector connector) {
        this.connector = connector;
    }

    /**
     * Attaches to a JVM and connects to its MBean server.
     *
     * @throws IOException if that fails, or the JVM has no MXBean of loomverbs
     */
    @SuppressWarnings("BanJNDI") // the address is that of a JVM of this machine and user
    static ObservedProcess attach(long pid) throws IOException {
        JMXServiceURL address = new JMXServiceURL(agentOf(pid));
        ObservedProcess process = new ObservedProcess(JMXConnectorFactory.connect(address));
        boolean found = false;
        try {
            process.find();
            found = true;
        } finally {
            if (!found) {
                process.close();
            }
        }
        return process;
    }

    private static String agentOf(long pid) throws IOException {
        VirtualMachine machine;
        try {
            machine = VirtualMachine.attach(Long.toString(pid));
        } catch (AttachNotSupportedException e) {
            throw new IOException(
                    "is no JVM that can be attached to: jps lists those of this user", e);
        }
        try {
            return machine.startLocalManagementAgent();
        } finally {
            machine.detach();
        }
    }

    private void find() throws IOException {
        MBeanServerConnection server = connector.getMBeanServerConnection();
        Set<ObjectName> names;
        try {
            names = server.queryNames(new ObjectName(PATTERN), null);
        } catch (MalformedObjectNameException e) {
            throw new AssertionError(e);
        }
        if (names.isEmpty()) {
            throw new IOException(
                    "has no MXBean of loomverbs: have it call VerbsManagement.register()");
        }
        for (ObjectName name : names) {
            beans.add(JMX.newMXBeanProxy(server, name, VerbsMXBean.class));
        }
    }

    List<ContextStats> contexts() {
        List<ContextStats> all = new ArrayList<>();
        beans.forEach(bean -> all.addAll(bean.getContexts()));
        return all;
    }

    @Override
    public void close() throws IOException {
        connector.close();
    }
}

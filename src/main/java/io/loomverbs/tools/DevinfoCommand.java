package io.loomverbs.tools;

import io.loomverbs.Context;
import io.loomverbs.Device;
import io.loomverbs.DeviceAttributes;
import io.loomverbs.GidEntry;
import io.loomverbs.LinkLayer;
import io.loomverbs.PortAttributes;
import io.loomverbs.Verbs;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;

/** Prints what {@code ibv_devinfo} prints, in its layout. */
@Command(
        name = "devinfo",
        description =
                "Print the devices, their ports and, with -v, their limits, as ibv_devinfo does.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {"  loomverbs devinfo -v", "  loomverbs devinfo -d soft0 --json"})
final class DevinfoCommand implements Callable<Integer> {
    private static final String[] WIDTHS = {"", "1X", "4X", "", "8X", "", "", "", "12X"};

    @Option(
            names = {"-d", "--device"},
            paramLabel = "NAME",
            description = "Only this device.")
    private @Nullable String name;

    @Option(
            names = {"-v"},
            description = "Print the limits and GIDs as well.")
    private boolean all;

    @Option(names = "--json", description = "Print a JSON array of devices, with all limits.")
    private boolean json;

    @SuppressWarnings("NullAway.Init") // picocli sets it
    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        List<Device> devices = name == null ? Verbs.devices() : List.of(Options.device(spec, name));
        List<String> objects = new ArrayList<>();
        for (Device device : devices) {
            try (Context context = device.open()) {
                if (json) {
                    objects.add(DevinfoJson.of(context));
                } else {
                    print(out, device, context);
                }
            }
        }
        if (json) {
            out.println("[" + String.join(",", objects) + "]");
            out.flush();
        }
        Throwable cause = Verbs.unavailabilityCause();
        if (name == null && cause != null) {
            spec.commandLine().getErr().println("no devices of libibverbs: " + cause.getMessage());
        }
        return ExitCode.OK;
    }

    private void print(PrintWriter out, Device device, Context context) {
        DeviceAttributes a = context.attributes();
        out.println("hca_id:\t" + device.name());
        row(out, "transport", device.transportType());
        row(out, "fw_ver", a.firmwareVersion());
        row(out, "node_guid", guid(a.nodeGuid()));
        row(out, "sys_image_guid", guid(a.systemImageGuid()));
        row(out, "vendor_id", String.format(Locale.ROOT, "0x%04x", a.vendorId()));
        row(out, "vendor_part_id", a.vendorPartId());
        row(out, "hw_ver", String.format(Locale.ROOT, "0x%X", a.hardwareVersion()));
        row(out, "phys_port_cnt", a.physicalPortCount());
        if (all) {
            row(out, "max_mr_size", String.format(Locale.ROOT, "0x%x", a.maxMrSize()));
            row(out, "page_size_cap", String.format(Locale.ROOT, "0x%x", a.pageSizeCap()));
            row(out, "max_qp", a.maxQp());
            row(out, "max_qp_wr", a.maxQpWr());
            row(out, "device_cap_flags", String.format(Locale.ROOT, "0x%08x", a.deviceCapFlags()));
            row(out, "max_sge", a.maxSge());
            row(out, "max_sge_rd", a.maxSgeRead());
            row(out, "max_cq", a.maxCq());
            row(out, "max_cqe", a.maxCqe());
            row(out, "max_mr", a.maxMr());
            row(out, "max_pd", a.maxPd());
            row(out, "max_qp_rd_atom", a.maxQpReadAtomic());
            row(out, "max_res_rd_atom", a.maxResourceReadAtomic());
            row(out, "max_qp_init_rd_atom", a.maxQpInitReadAtomic());
            row(out, "atomic_cap", "ATOMIC_" + a.atomicCapability() + atomicValue(a));
            row(out, "max_mw", a.maxMw());
            row(out, "max_mcast_grp", a.maxMcastGroups());
            row(out, "max_mcast_qp_attach", a.maxMcastQpAttach());
            row(out, "max_total_mcast_qp_attach", a.maxTotalMcastQpAttach());
            row(out, "max_ah", a.maxAh());
            row(out, "max_srq", a.maxSrq());
            row(out, "max_srq_wr", a.maxSrqWr());
            row(out, "max_srq_sge", a.maxSrqSge());
            row(out, "max_pkeys", a.maxPkeys());
            row(out, "local_ca_ack_delay", a.localCaAckDelay());
            row(out, "max_inline_data", a.maxInlineData());
            row(out, "num_comp_vectors", a.numCompVectors());
        }
        for (int port = 1; port <= a.physicalPortCount(); port++) {
            printPort(out, context, port);
        }
        out.println();
    }

    private void printPort(PrintWriter out, Context context, int port) {
        PortAttributes p = context.port(port);
        out.println("\t\tport:\t" + port);
        portRow(out, "state", "PORT_" + p.state() + " (" + number(p.state()) + ")");
        portRow(out, "max_mtu", mtu(p.maxMtu().bytes()));
        portRow(out, "active_mtu", mtu(p.activeMtu().bytes()));
        portRow(out, "sm_lid", p.smLid());
        portRow(out, "port_lid", p.lid());
        portRow(out, "port_lmc", String.format(Locale.ROOT, "0x%02x", p.lmc()));
        portRow(out, "link_layer", p.linkLayer() == LinkLayer.ETHERNET ? "Ethernet" : "InfiniBand");
        if (all) {
            portRow(out, "max_msg_sz", String.format(Locale.ROOT, "0x%x", p.maxMessageSize()));
            portRow(out, "port_cap_flags", hex(p.capabilityFlags()));
            portRow(
                    out,
                    "port_cap_flags2",
                    String.format(Locale.ROOT, "0x%04x", p.capabilityFlags2()));
            portRow(out, "max_vl_num", p.maxVlNum());
            portRow(out, "bad_pkey_cntr", hex(p.badPkeyCounter()));
            portRow(out, "qkey_viol_cntr", hex(p.qkeyViolationCounter()));
            portRow(out, "sm_sl", p.smSl());
            portRow(out, "subnet_timeout", p.subnetTimeout());
            portRow(out, "init_type_reply", p.initTypeReply());
            portRow(out, "gid_tbl_len", p.gidTableLength());
            portRow(out, "pkey_tbl_len", p.pkeyTableLength());
            portRow(out, "active_width", width(p.activeWidth()));
            portRow(out, "active_speed", p.activeSpeed());
            portRow(out, "phys_state", p.physicalState());
            for (GidEntry entry : context.gids(port)) {
                out.printf(
                        Locale.ROOT,
                        "\t\t\tGID[%3d]:\t\t%s%s%n",
                        entry.index(),
                        entry.gid(),
                        kind(entry));
            }
        }
    }

    /** What ibv_devinfo adds on Ethernet, and the network interface. */
    private static String kind(GidEntry entry) {
        String type =
                switch (entry.type()) {
                    case IB -> "";
                    case ROCE_V1 -> ", RoCE v1";
                    case ROCE_V2 -> ", RoCE v2";
                    case OTHER -> ", of another type";
                };
        String netdev = entry.netdev();
        return netdev == null ? type : type + ", " + netdev;
    }

    private static String atomicValue(DeviceAttributes a) {
        return " (" + number(a.atomicCapability()) + ")";
    }

    /** These enums are in the order of verbs' values. */
    private static <E extends Enum<E>> int number(E value) {
        return List.of(value.getDeclaringClass().getEnumConstants()).indexOf(value);
    }

    private static String mtu(int bytes) {
        return bytes == 0
                ? "unknown"
                : bytes + " (" + (Integer.numberOfTrailingZeros(bytes) - 7) + ")";
    }

    private static String width(int value) {
        String text = value > 0 && value < WIDTHS.length ? WIDTHS[value] : "";
        return text + " (" + value + ")";
    }

    static String guid(long guid) {
        return String.format(
                Locale.ROOT,
                "%04x:%04x:%04x:%04x",
                guid >>> 48,
                guid >>> 32 & 0xffff,
                guid >>> 16 & 0xffff,
                guid & 0xffff);
    }

    private static String hex(int value) {
        return String.format(Locale.ROOT, "0x%x", value);
    }

    private static void row(PrintWriter out, String key, Object value) {
        out.printf("\t%-32s%s%n", key + ":", value);
    }

    private static void portRow(PrintWriter out, String key, Object value) {
        out.printf("\t\t\t%-24s%s%n", key + ":", value);
    }
}

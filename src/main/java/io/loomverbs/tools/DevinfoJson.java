package io.loomverbs.tools;

import io.loomverbs.Context;
import io.loomverbs.DeviceAttributes;
import io.loomverbs.GidEntry;
import io.loomverbs.PortAttributes;

import java.util.ArrayList;
import java.util.List;
import java.util.StringJoiner;

/** A device as an object of JSON, with the names that ibv_devinfo prints. */
final class DevinfoJson {
    private final StringJoiner object = new StringJoiner(",", "{", "}");

    private DevinfoJson() {}

    static String of(Context context) {
        DeviceAttributes a = context.attributes();
        DevinfoJson json =
                new DevinfoJson()
                        .text("hca_id", context.device().name())
                        .text("transport", context.device().transportType())
                        .text("fw_ver", a.firmwareVersion())
                        .text("node_guid", DevinfoCommand.guid(a.nodeGuid()))
                        .text("sys_image_guid", DevinfoCommand.guid(a.systemImageGuid()))
                        .number("vendor_id", a.vendorId())
                        .number("vendor_part_id", a.vendorPartId())
                        .number("hw_ver", a.hardwareVersion())
                        .number("phys_port_cnt", a.physicalPortCount())
                        .text("max_mr_size", Long.toUnsignedString(a.maxMrSize()))
                        .number("max_qp", a.maxQp())
                        .number("max_qp_wr", a.maxQpWr())
                        .number("max_sge", a.maxSge())
                        .number("max_cq", a.maxCq())
                        .number("max_cqe", a.maxCqe())
                        .number("max_mr", a.maxMr())
                        .number("max_pd", a.maxPd())
                        .number("max_qp_rd_atom", a.maxQpReadAtomic())
                        .number("max_qp_init_rd_atom", a.maxQpInitReadAtomic())
                        .text("atomic_cap", "ATOMIC_" + a.atomicCapability())
                        .number("max_mw", a.maxMw())
                        .number("max_ah", a.maxAh())
                        .number("max_srq", a.maxSrq())
                        .number("max_srq_wr", a.maxSrqWr())
                        .number("max_pkeys", a.maxPkeys())
                        .number("max_inline_data", a.maxInlineData())
                        .number("num_comp_vectors", a.numCompVectors());
        List<String> ports = new ArrayList<>();
        for (int port = 1; port <= a.physicalPortCount(); port++) {
            ports.add(port(context, port));
        }
        return json.raw("ports", "[" + String.join(",", ports) + "]").object.toString();
    }

    private static String port(Context context, int port) {
        PortAttributes p = context.port(port);
        List<String> gids = new ArrayList<>();
        for (GidEntry entry : context.gids(port)) {
            gids.add(
                    new DevinfoJson()
                            .number("index", entry.index())
                            .text("gid", entry.gid())
                            .text("type", entry.type())
                            .object
                            .toString());
        }
        return new DevinfoJson()
                .number("port", port)
                .text("state", "PORT_" + p.state())
                .number("max_mtu", p.maxMtu().bytes())
                .number("active_mtu", p.activeMtu().bytes())
                .number("sm_lid", p.smLid())
                .number("port_lid", p.lid())
                .text("link_layer", p.linkLayer())
                .raw("gids", "[" + String.join(",", gids) + "]")
                .object
                .toString();
    }

    private DevinfoJson text(String name, Object value) {
        return raw(name, TopJson.text(value.toString()));
    }

    private DevinfoJson number(String name, long value) {
        return raw(name, Long.toString(value));
    }

    private DevinfoJson raw(String name, String value) {
        object.add(TopJson.text(name) + ":" + value);
        return this;
    }
}

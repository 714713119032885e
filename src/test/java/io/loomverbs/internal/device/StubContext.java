package io.loomverbs.internal.device;

/** What tests' own devices have in common: the attributes of another device, and no port. */
public abstract class StubContext implements ContextOps {
    private final DeviceAttr attributes;

    protected StubContext(DeviceAttr attributes) {
        this.attributes = attributes;
    }

    @Override
    public DeviceAttr queryDevice() {
        return attributes;
    }

    @Override
    public PortAttr queryPort(int port) {
        throw new UnsupportedOperationException();
    }

    @Override
    public byte[] queryGid(int port, int index) {
        throw new UnsupportedOperationException();
    }
}

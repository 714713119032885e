package io.loomverbs;

/** {@link CqLedger} whose top is changed by a read and a write. */
final class FaultyUnacked {
    private static final class Node {
        private Node next;
    }

    private volatile Node top;

    void add() {
        Node node = new Node();
        node.next = top;
        for (int i = 0; i < 20; i++) {
            Thread.onSpinWait();
        }
        top = node;
    }

    int holders() {
        int n = 0;
        for (Node node = top; node != null; node = node.next) {
            n++;
        }
        return n;
    }
}

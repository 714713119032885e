package io.loomverbs.tools.storm;

import io.loomverbs.WaitStrategy;

import org.jspecify.annotations.Nullable;

import java.time.Duration;

/**
 * The plan of a storm.
 *
 * @param cqs how many CQs, and handlers
 * @param delivery how events reach the handlers
 * @param strategy how {@code await} waits for a CQ with direct delivery; null to wait with {@code
 *     getCqEvent}
 * @param channels how many channels carry the events; of no meaning for direct delivery
 * @param duration how long messages are sent at least; on until each handler has had work
 * @param window how many messages circulate in each pair, 1 to {@link SequenceWindow#BITS}
 * @param messageBytes the size of a message, at least {@link StormMessage#MIN_BYTES}
 * @param churnPerSecond how many CQs are destroyed and created again in each second; 0 for none
 */
public record StormPlan(
        int cqs,
        StormDelivery delivery,
        @Nullable WaitStrategy strategy,
        int channels,
        Duration duration,
        int window,
        int messageBytes,
        int churnPerSecond) {}

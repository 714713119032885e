package io.loomverbs.schedule;

/**
 * How one schedule went.
 *
 * @param failure null if it went well
 * @param steps how often a thread was picked to go on
 * @param fingerprint a hash of every decision and of what came of it: two runs with the same one
 *     went the same way
 */
public record Outcome(String failure, long steps, long fingerprint) {}

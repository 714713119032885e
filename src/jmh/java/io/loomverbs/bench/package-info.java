/**
 * The command {@code bench}: runs the benchmarks beside it in rounds, and reports.
 *
 * <p>{@code Bench} is the door. {@code Session} runs JMH and writes its raw results; {@code
 * Results} reads them, now or years later; {@code Chapters} says what belongs side by side, {@code
 * Goals} what is to be reached, {@code Comparison} what got slower. The rest turns that into text,
 * plots and a page.
 */
package io.loomverbs.bench;

/**
 * Reads rows on both sides of every move and tells what it saw.
 *
 * <p>In: the moves, both sides' rows, the keys that lanes have just changed. Out: one {@link
 * dev.reshard.topics.ShadowRead} for each pair of reads. Promised: no more reads per second than
 * the spec says, never a scan of a table; a pair is called settled only if no lag, however long,
 * can explain a difference ({@link dev.reshard.probe.Probe} says why).
 */
package dev.reshard.probe;

/**
 * Holds copies back, so that the source's users feel little of them.
 *
 * <p>In: limits, each with its reason, from the file, the time of day, an operator, the source's
 * own answers and the WAL that it keeps. Out: whoever copies waits as long as the strictest of each
 * kind demands, and the status can say which one it is. Promised: limits that change count within a
 * second; a pause never stops a chunk in its middle, where a table is locked; what is measured
 * costs the source ten small commits a second at most, and nothing while nobody copies.
 */
package dev.reshard.throttle;

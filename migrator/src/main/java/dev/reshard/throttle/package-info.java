/**
 * Holds back whoever copies, compares or purges rows, so that the shard's users feel little of it.
 *
 * <p>In: limits, each with its reason, from the file, the time of day, an operator, the source's
 * own answers and the WAL that it keeps. Out: each chunk of the work waits as long as the strictest
 * of each kind demands, and the status can say which one it is. Promised: limits that change count
 * within a second; a pause never stops a chunk in its middle, where a table is locked; what is
 * measured costs the shard ten small commits a second at most, and nothing while nobody works on
 * it.
 */
package dev.reshard.throttle;

/**
 * Hands buckets from the shard that owns them to the one that shall, and back: see PROTOCOL.md
 * beside this module's pom.
 *
 * <p>In: units whose gates are open. Out: units moved, or everything as it was. Promised: at every
 * instant at most one shard takes an application's writes of a bucket; every acknowledged write
 * survives; the pause never exceeds its budget. Deciding ({@link
 * dev.reshard.cutover.CutoverDecider}) is pure; doing ({@link dev.reshard.cutover.CutoverSteps}) is
 * I/O.
 */
package dev.reshard.cutover;

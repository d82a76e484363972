/**
 * Lanes: replication from one shard to one other.
 *
 * <p>In: one shard's {@link dev.reshard.change.Transaction}s from a {@link
 * dev.reshard.apply.ChangeSource}. Out: the changes of the lane's buckets, and of reference tables
 * if it carries them, in the destination's tables, and how far they have come in {@code
 * reshard.lane} there. Promised: whole transactions in commit order, each with an effect exactly
 * once, because the position commits with the data; nothing of a muted bucket; no change that finds
 * another row than the one it was made to. What cannot be applied stops the lane, by name, exactly
 * before the transaction that holds it.
 */
package dev.reshard.apply;

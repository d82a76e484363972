/**
 * What each shard knows of each bucket, enforced by the shard itself: application writes pass only
 * where the guard is open.
 *
 * <p>In: units, and the calls of a cutover. Out: triggers and sequences on the shards ({@link
 * dev.reshard.guard.Arming}), the calls on them ({@link dev.reshard.guard.Guard}), and private
 * ranges for sequences ({@link dev.reshard.guard.PrivateRanges}). Promised: a refused write fails
 * with SQLSTATE {@code RS001}, whatever snapshot, plan or role the writer has; no table lock in the
 * pause, and none ever held across a round trip; no part of the decision trusts a clock. The
 * protocol that uses this is the cutover's.
 */
package dev.reshard.guard;

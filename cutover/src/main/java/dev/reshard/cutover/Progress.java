package dev.reshard.cutover;

/**
 * How far one attempt to hand a unit over has come. "Owner" is the shard that owns the unit's
 * buckets before, "receiver" the one that owns them after.
 *
 * <pre>
 * AT_OWNER > FENCED > QUIET > MARKED > DRAINED > DECIDED > OPENED > MOVED
 *               |       |        |        |
 *               +-------+--------+--------+--> LIFTED     (the only way out before the decision)
 * </pre>
 */
public enum Progress {
  /** Nothing was done. */
  AT_OWNER,
  /** The owner refuses new writes; older ones may still commit. */
  FENCED,
  /** No transaction that wrote before the fence is left. */
  QUIET,
  /** The token stands in the owner's WAL behind all those writes. */
  MARKED,
  /** The receiver has applied the token, and with it all those writes, and flushed them. */
  DRAINED,
  /** A write slipped in after the fence ran out: this attempt cannot be decided. */
  TOUCHED,
  /** The owner is sealed: the receiver owns the buckets, whatever happens now. */
  DECIDED,
  /** The receiver takes writes. */
  OPENED,
  /** The map says so too. */
  MOVED,
  /** Given up: the owner takes writes again, and nothing has moved. */
  LIFTED
}

package dev.reshard.apply;

import dev.reshard.change.Transaction;
import dev.reshard.postgres.Anchor;
import dev.reshard.postgres.Lsn;
import dev.reshard.postgres.ServerIdentity;
import java.util.Optional;

/**
 * How far a lane has come. Immutable.
 *
 * <p>Two things guard the position after the source has failed over (HAZARDS F18). A new anchor is
 * on the new server, but the topic begins with the old server's records, and some of them may end
 * after the anchor: a lane starts with an incarnation that was numbered after the former
 * replication slot was dropped and before the anchor's was made. Nobody reads the new slot under a
 * lower number, nor the former one under a higher: so what is of an older incarnation is exactly
 * what does not follow the anchor, and is dropped unseen. All that is left must come from the
 * anchor's server, and else stops the lane, also one that was started again.
 *
 * @param incarnation of the last transaction; before the first the newest that does not count
 * @param applied the end of the last transaction's commit record
 * @param nextOffset where reading the topic goes on; 0 before the first
 * @param server whose WAL {@code applied} is of; empty if an older version of ours stored it
 */
public record LanePosition(
    long incarnation, Lsn applied, long nextOffset, Optional<ServerIdentity> server) {

  /** Where a new lane starts: with what committed after {@code anchor}, whoever sends it. */
  public static LanePosition startingAfter(Lsn anchor) {
    return new LanePosition(0, anchor, 0, Optional.empty());
  }

  /**
   * Where a new lane starts: with what committed after {@code anchor}, on the same server.
   *
   * @param incarnation numbered before the anchor's slot was made, and after a former one of its
   *     name was dropped
   */
  public static LanePosition startingAfter(Anchor anchor, long incarnation) {
    return new LanePosition(incarnation, anchor.position(), 0, Optional.of(anchor.server()));
  }

  /**
   * Where a new lane starts that reads the same slot's changes as one that is at this position.
   *
   * @param confirmed the slot's confirmed position, asked for after this position was: then all
   *     that follows it is sent by this position's incarnation, or by newer ones
   */
  public LanePosition besideFrom(Lsn confirmed) {
    return new LanePosition(incarnation, confirmed, 0, server);
  }

  static LanePosition after(Transaction transaction) {
    return new LanePosition(
        transaction.incarnation(),
        transaction.end(),
        transaction.offset() + 1,
        Optional.of(transaction.server()));
  }
}

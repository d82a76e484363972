package dev.reshard.apply;

import dev.reshard.change.Transaction;
import dev.reshard.postgres.Lsn;

/**
 * How far a lane has come. Immutable.
 *
 * @param incarnation of the last transaction; 0 before the first
 * @param applied the end of the last transaction's commit record
 * @param nextOffset where reading the topic goes on; 0 before the first
 */
public record LanePosition(long incarnation, Lsn applied, long nextOffset) {

  /** Where a new lane starts: with what committed after {@code anchor}. */
  public static LanePosition startingAfter(Lsn anchor) {
    return new LanePosition(0, anchor, 0);
  }

  static LanePosition after(Transaction transaction) {
    return new LanePosition(transaction.incarnation(), transaction.end(), transaction.offset() + 1);
  }
}

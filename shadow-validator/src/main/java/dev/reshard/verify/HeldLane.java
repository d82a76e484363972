package dev.reshard.verify;

import dev.reshard.keyspace.ShardId;
import dev.reshard.postgres.Lsn;
import java.sql.SQLException;
import java.time.Duration;

/** What a comparison needs of a running lane. Called by one thread at a time. */
public interface HeldLane {

  /** Where it writes. */
  ShardId destination();

  /** Returns once the lane has committed what it was at, and takes nothing more. */
  void hold() throws InterruptedException;

  /**
   * Runs a held lane until it has committed the last transaction that ends at or before {@code
   * target}, and nothing behind it; then it is held again.
   *
   * @return false if the time is over before that
   */
  boolean applyTo(Lsn target, Duration limit) throws SQLException, InterruptedException;

  /** Lets it run freely; nothing happens if it does. */
  void resume();
}

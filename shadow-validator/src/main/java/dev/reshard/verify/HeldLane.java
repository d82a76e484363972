package dev.reshard.verify;

import dev.reshard.keyspace.ShardId;
import dev.reshard.postgres.Lsn;
import java.sql.SQLException;

/**
 * What a comparison needs of a running lane. {@link #applyTo} is called by another thread than the
 * other methods.
 */
public interface HeldLane {
  /** Where it writes. */
  ShardId destination();

  /** Returns once the lane has committed what it was at, and takes nothing more. */
  void hold() throws SQLException, InterruptedException;

  /**
   * Runs a held lane until it has committed the last transaction that ends at or before {@code
   * target}, and nothing after it, then holds again.
   *
   * @throws InterruptedException if the caller no longer wants to wait; the lane stays held
   */
  void applyTo(Lsn target) throws SQLException, InterruptedException;

  /** Lets it run freely; nothing happens if it does. */
  void resume();

  /** The end of the last transaction that it has committed. */
  Lsn applied();
}

package dev.reshard.apply;

import dev.reshard.apply.LaneException.Problem;
import dev.reshard.change.Transaction;
import dev.reshard.postgres.OwnTransaction;
import dev.reshard.postgres.OwnTransaction.Durability;
import dev.reshard.postgres.ShardSessions;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A lane's session on its destination, opened again after it broke. Used by the lane's thread only,
 * save {@link #abort} and {@link #pid}.
 */
final class Destination implements AutoCloseable {

  /**
   * Rows are found by their key's index, whatever the statistics of a table that was just loaded
   * say, and a statement is planned once. A lock wait ends well before the server looks for a
   * deadlock: so it is never an application's transaction that is chosen to die.
   */
  private static final String SETTINGS =
      """
      SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;
      SET jit = off; SET plan_cache_mode = force_generic_plan;
      SELECT set_config('lock_timeout', greatest(setting::int * 2 / 5, 1)::text, false)
        FROM pg_settings WHERE name = 'deadlock_timeout'""";

  private final ShardSessions sessions;
  private final LaneConfig config;
  private final LaneLimits limits;
  private final KeyTeller teller;
  private boolean installed;
  private volatile Connection connection;
  private BatchApplier applier;

  Destination(ShardSessions sessions, LaneConfig config, LaneLimits limits, KeyTeller teller) {
    this.sessions = sessions;
    this.config = config;
    this.limits = limits;
    this.teller = teller;
  }

  boolean isConnected() {
    return connection != null;
  }

  /**
   * Connects, and makes sure that what is stored there is durable.
   *
   * @throws LaneException if no such lane ends there
   */
  LaneProgress.Stored connect() throws SQLException {
    disconnect();
    Connection opened = sessions.open(config.destination(), "apply from " + config.source());
    try {
      if (!installed) {
        LaneProgress.install(opened); // an older version of ours may have made the table
        installed = true;
      }
      try (Statement statement = opened.createStatement()) {
        statement.execute(SETTINGS);
      }
      try (OwnTransaction own =
          OwnTransaction.begin(opened, config.worker(), Durability.SYNCHRONOUS)) {
        LaneProgress.touch(opened, config);
        Optional<LaneProgress.Stored> stored =
            LaneProgress.find(opened, config.migration(), config.source());
        own.commit();
        applier =
            new BatchApplier(opened, config, limits, stored.orElseThrow(this::noLane), teller);
        connection = opened;
        return stored.get();
      }
    } finally {
      if (connection == null) {
        opened.close();
      }
    }
  }

  BatchPlan apply(List<Transaction> batch, LanePosition from, Durability durability)
      throws SQLException {
    return applier.apply(batch, from, durability);
  }

  BatchPlan applyInOrder(Transaction transaction, LanePosition from, Durability durability)
      throws SQLException {
    return applier.applyInOrder(transaction, from, durability);
  }

  /** The server process of the session; empty while there is none. Any thread. */
  OptionalInt pid() {
    Connection current = connection;
    try {
      return current == null ? OptionalInt.empty() : OptionalInt.of(ShardSessions.pid(current));
    } catch (SQLException e) {
      return OptionalInt.empty();
    }
  }

  /** Ends the session at once, whatever it waits for. Any thread. */
  void abort() {
    Connection current = connection;
    if (current != null) {
      try {
        current.abort(Runnable::run);
      } catch (SQLException ignored) {
        // it is gone
      }
    }
  }

  void disconnect() {
    Connection current = connection;
    connection = null;
    if (current != null) {
      try {
        current.close();
      } catch (SQLException ignored) {
        // it is gone
      }
    }
  }

  @Override
  public void close() {
    disconnect();
  }

  private LaneException noLane() {
    return new LaneException(
        Problem.DESTINATION_FAILED,
        """
        Shard %s has no stored position of lane %s of migration %s: it was never created there, or \
        the shard was restored from a backup. Nothing is applied, because it is unknown where to \
        begin; begin again from a new anchor."""
            .formatted(config.destination(), config.name(), config.migration()));
  }
}

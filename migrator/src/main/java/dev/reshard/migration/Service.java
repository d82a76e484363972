package dev.reshard.migration;

import dev.reshard.control.MigrationState;
import java.sql.SQLException;
import java.util.Map;
import java.util.Optional;

/** What runs beside the phases, mostly while both directions replicate. Thread-safe. */
public interface Service extends AutoCloseable {
  /**
   * Whether it runs in a state; while PAUSED, the state that was paused is asked about. It is not
   * stopped when a state follows in which it does not.
   */
  default boolean runsIn(MigrationState state) {
    return state.replicates();
  }

  /** Starts; called again it does nothing. */
  void start() throws Exception;

  /**
   * Stops working on shards where that can wait, or goes on; repeatable. Called before {@link
   * #start} too: what is paused then starts held.
   */
  default void hold(boolean hold) throws SQLException, InterruptedException {}

  /** What is wrong and what to do about it; empty while all is well. */
  default Optional<String> trouble() {
    return Optional.empty();
  }

  /** Its part of the worker's report: a name and plain values, lists and maps. */
  default Map<String, Object> report() {
    return Map.of();
  }

  /** Stops within seconds; called again it does nothing. */
  @Override
  default void close() {}
}

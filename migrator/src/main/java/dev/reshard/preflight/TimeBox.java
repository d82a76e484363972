package dev.reshard.preflight;

import dev.reshard.keyspace.ShardId;
import java.sql.Array;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * A time within which one check reads rows on one shard, however many tables there are. Confined to
 * one thread.
 */
final class TimeBox {
  /** What is left is rounded up to this, as each new limit costs a round trip. */
  private static final long STEP_MS = 250;

  private final CheckSession session;
  private final Duration most;
  private final long end;

  /** Begins now; one query may take it all. */
  TimeBox(CheckSession session, Duration all) {
    this(session, all, all);
  }

  /**
   * Begins now.
   *
   * @param most for one query
   */
  TimeBox(CheckSession session, Duration most, Duration all) {
    this.session = session;
    this.most = most;
    this.end = System.nanoTime() + all.toNanos();
  }

  ShardId shard() {
    return session.shard();
  }

  Array texts(List<String> texts) throws SQLException {
    return session.texts(texts);
  }

  boolean isOver() {
    return System.nanoTime() - end >= 0;
  }

  /** Empty if it was not done in time, or would wait for a lock. */
  <T> Optional<List<T>> query(String sql, CheckSession.Row<T> reader, Object... parameters)
      throws SQLException {
    if (isOver()) {
      return Optional.empty();
    }
    long left = Duration.ofNanos(end - System.nanoTime()).toMillis() / STEP_MS * STEP_MS + STEP_MS;
    return session.queryWithin(
        Duration.ofMillis(Math.min(left, most.toMillis())), sql, reader, parameters);
  }
}

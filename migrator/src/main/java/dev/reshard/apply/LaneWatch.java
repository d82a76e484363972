package dev.reshard.apply;

import dev.reshard.postgres.ShardSessions;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks after a lane's session while a batch takes long. A network that swallows packets tells the
 * lane nothing, and TCP takes a quarter of an hour to find out; but the server says, over another
 * connection, whether it works for the lane, or has waited all the time for a statement that the
 * lane has sent, or has answered. Then the session is ended, and the lane opens another one. Runs
 * on a thread of its own until that is interrupted.
 */
final class LaneWatch implements Runnable {
  private static final Logger log = LoggerFactory.getLogger(LaneWatch.class);

  private final LaneConfig config;
  private final ShardSessions sessions;
  private final Destination destination;
  private final LongSupplier batch;
  private final Duration lookEvery;

  /**
   * @param batch when the batch in flight began, by {@link System#nanoTime}; 0 while there is none
   */
  LaneWatch(
      LaneConfig config,
      ShardSessions sessions,
      Destination destination,
      LongSupplier batch,
      Duration lookEvery) {
    this.config = config;
    this.sessions = sessions;
    this.destination = destination;
    this.batch = batch;
    this.lookEvery = lookEvery;
  }

  /** What the server said of a session that does nothing, or is not there. */
  private record Idle(long batch, int pid, String since) {}

  @Override
  public void run() {
    try {
      Optional<Idle> before = Optional.empty();
      while (true) {
        Thread.sleep(lookEvery.toMillis());
        Optional<Idle> now = look();
        if (now.isPresent() && now.equals(before) && now.get().batch() == batch.getAsLong()) {
          log.warn(
              "lane {}: its session on shard {} gets no answer, though the server does nothing for it: it is replaced",
              config.name(),
              config.destination());
          destination.abort();
        }
        before = now;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Empty if all is well, or nobody can tell. */
  private Optional<Idle> look() {
    long began = batch.getAsLong();
    OptionalInt pid = destination.pid();
    if (began == 0 || pid.isEmpty() || System.nanoTime() - began < lookEvery.toNanos()) {
      return Optional.empty();
    }
    try (Connection connection = sessions.openBrief(config.destination(), "watch");
        PreparedStatement statement =
            connection.prepareStatement(
                """
                SELECT coalesce(max(state_change)::text, 'gone')
                  FROM pg_stat_activity WHERE pid = ? HAVING NOT bool_or(state = 'active')
                    OR count(*) = 0""")) {
      statement.setInt(1, pid.getAsInt());
      try (ResultSet row = statement.executeQuery()) {
        return row.next()
            ? Optional.of(new Idle(began, pid.getAsInt(), row.getString(1)))
            : Optional.empty();
      }
    } catch (SQLException e) {
      return Optional.empty(); // the shard is away; the lane hears of it
    }
  }
}

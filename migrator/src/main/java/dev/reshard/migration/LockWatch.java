package dev.reshard.migration;

import dev.reshard.control.MigrationState;
import dev.reshard.keyspace.ShardId;
import dev.reshard.postgres.LockWait;
import dev.reshard.postgres.ShardConnections;
import dev.reshard.postgres.ShardSessions;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks every second whether one of our sessions waits for a lock, and tells who has it: an index
 * that is built, a slot that is made or a table that is altered waits for transactions of others,
 * which may stay open for hours, and nothing else says so. It only looks, in all states, by
 * sessions without a lease. Thread-safe.
 */
public final class LockWatch implements Service {
  private static final Logger log = LoggerFactory.getLogger(LockWatch.class);
  private static final Duration ANSWERS_WITHIN = Duration.ofSeconds(10);

  /** Locks that are waited for a moment are nobody's business. */
  private static final Duration TOLD_AFTER = Duration.ofSeconds(3);

  /** Who asks for a lock for a moment, and later again, waits at few of our looks. */
  private static final Duration FORGOTTEN_AFTER = Duration.ofSeconds(15);

  private record Who(ShardId shard, String part, List<Integer> pids) {}

  /** In nanoseconds of {@link System#nanoTime}. */
  private record Seen(long first, long last, String inTheWay) {
    Duration time() {
      return Duration.ofNanos(last - first);
    }
  }

  private final String migration;
  private final Set<ShardId> shards;
  private final ShardConnections connections;
  private final Map<Who, Seen> seen = new HashMap<>(); // the looking thread's
  private final RepeatedLook watch = new RepeatedLook("locks", this::look);
  private volatile Optional<String> trouble = Optional.empty();

  /**
   * Starts nothing.
   *
   * @param sessions of whoever only looks
   */
  public LockWatch(String migration, ShardSessions sessions, Set<ShardId> shards) {
    this.migration = migration;
    this.shards = Set.copyOf(shards);
    this.connections = new ShardConnections(sessions, "locks", ANSWERS_WITHIN);
  }

  @Override
  public boolean runsIn(MigrationState state) {
    return true; // from the first index to the last one that is dropped
  }

  @Override
  public void start() {
    watch.start();
  }

  private void look() {
    for (ShardId shard : shards) {
      try {
        for (LockWait wait : LockWait.of(connections.on(shard), migration)) {
          long now = System.nanoTime();
          seen.merge(
              new Who(shard, wait.part(), wait.pids()),
              new Seen(now, now, wait.inTheWay()),
              (before, again) -> new Seen(before.first(), again.last(), again.inTheWay()));
        }
      } catch (SQLException e) {
        log.debug("no look at the locks of {}", shard, e); // others tell that it is away
      }
    }
    long now = System.nanoTime();
    seen.values().removeIf(wait -> now - wait.last() > FORGOTTEN_AFTER.toNanos());
    trouble =
        seen.entrySet().stream()
            .filter(wait -> wait.getValue().time().compareTo(TOLD_AFTER) >= 0)
            .max(Comparator.comparing(wait -> wait.getValue().time()))
            .map(wait -> text(wait.getKey(), wait.getValue()));
  }

  private static String text(Who who, Seen wait) {
    return ("shard %s: our session for '%s' has waited %d s for a lock; in its way: %s. Nothing is"
            + " unsafe, it goes on by itself once that has ended. Let it end, or end it there with"
            + " pg_terminate_backend(pid) or ROLLBACK PREPARED")
        .formatted(who.shard(), who.part(), wait.time().toSeconds(), wait.inTheWay());
  }

  @Override
  public Optional<String> trouble() {
    return trouble;
  }

  @Override
  public void close() {
    watch.close();
    try {
      connections.close();
    } catch (SQLException e) {
      log.debug("a session was broken already", e);
    }
  }
}

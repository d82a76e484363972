package dev.reshard.control;

import dev.reshard.keyspace.ShardId;
import dev.reshard.postgres.ShardSessions;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * The right to work on a migration: one worker at a time holds it, by the control server's clock,
 * and loses it {@link #TTL} after its last refresh. The number of the lease grows with every
 * holder. Thread-safe.
 */
public final class WorkerLease implements AutoCloseable {
  /** How long after its last sign of life a worker is taken for dead. */
  public static final Duration TTL = Duration.ofSeconds(3);

  private final String migration;
  private final Database database;
  private final ScheduledExecutorService refresher =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "lease");
            thread.setDaemon(true);
            return thread;
          });
  private volatile long number;
  private volatile boolean lost;
  private volatile boolean taken;
  private volatile long refreshedNanos;

  public WorkerLease(ShardSessions sessions, ShardId control, String migration) {
    this.migration = migration;
    this.database = new Database(() -> sessions.openBrief(control, "lease"));
  }

  /** Who holds a lease that has not run out; empty if nobody does. */
  public Optional<String> holder() throws SQLException {
    return database
        .query(
            """
            SELECT holder FROM reshard.worker
             WHERE migration = ? AND expires > clock_timestamp()""",
            row -> row.getString(1),
            migration)
        .stream()
        .findFirst();
  }

  /**
   * Takes the lease if it is free, and keeps it fresh until {@link #close}.
   *
   * @param holder host and process, for people
   * @return the lease's number; empty while another worker holds it
   */
  @SuppressWarnings("FutureReturnValueIgnored") // refresh() keeps its own account of failures
  public Optional<Long> acquire(String holder) throws SQLException {
    List<Long> got =
        database.query(
            """
            INSERT INTO reshard.worker AS w (migration, lease, holder, expires)
            VALUES (?, 1, ?, clock_timestamp() + ? * interval '1 ms')
            ON CONFLICT (migration) DO UPDATE
              SET lease = w.lease + 1, holder = excluded.holder, expires = excluded.expires
              WHERE w.expires < clock_timestamp()
            RETURNING lease""",
            row -> row.getLong(1),
            migration,
            holder,
            TTL.toMillis());
    if (got.isEmpty()) {
      return Optional.empty();
    }
    number = got.get(0);
    refreshedNanos = System.nanoTime();
    refresher.scheduleWithFixedDelay(this::refresh, 500, 500, TimeUnit.MILLISECONDS);
    return Optional.of(number);
  }

  private void refresh() {
    long asked = System.nanoTime();
    try {
      if (database.update(
              """
              UPDATE reshard.worker SET expires = clock_timestamp() + ? * interval '1 ms'
               WHERE migration = ? AND lease = ?""",
              TTL.toMillis(),
              migration,
              number)
          == 1) {
        refreshedNanos = asked;
      } else {
        taken = true;
        lost = true;
      }
    } catch (SQLException | RuntimeException e) {
      // The control database is away: isHeld() turns false when the lease has run out.
      lost |= System.nanoTime() - refreshedNanos > TTL.toNanos();
    }
  }

  /** Whether the lease is ours as far as we can know. */
  public boolean isHeld() {
    return !lost && System.nanoTime() - refreshedNanos < TTL.toNanos();
  }

  /**
   * @throws LeaseLostException if the lease is not ours any more, or may not be
   */
  public void requireHeld() {
    if (!isHeld()) {
      throw taken
          ? new LeaseLostException(migration, number)
          : new LeaseRanOutException(migration, number);
    }
  }

  public long number() {
    return number;
  }

  /** Gives the lease up, so that another worker need not wait. */
  @Override
  public void close() throws SQLException {
    refresher.shutdownNow();
    if (number > 0 && !lost) {
      database.update(
          "UPDATE reshard.worker SET expires = clock_timestamp() WHERE migration = ? AND lease = ?",
          migration,
          number);
    }
    database.close();
  }
}

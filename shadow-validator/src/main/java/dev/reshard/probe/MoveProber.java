package dev.reshard.probe;

import dev.reshard.keyspace.Keyspace.ShardedTable;
import dev.reshard.keyspace.Move;
import dev.reshard.migration.Migration;
import dev.reshard.postgres.Catalog;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Compares rows of one move on a thread of its own, so that a shard that is down holds up nobody
 * else's reads. The thread that runs it owns everything but {@link #trouble}, {@link #stop} and
 * {@link #abort}.
 */
final class MoveProber implements Runnable {
  private static final Logger log = LoggerFactory.getLogger(MoveProber.class);
  private static final long RECONNECT_MS = 1_000;

  private final Migration migration;
  private final Move move;
  private final ChangedRows changed;
  private final Places places;
  private final ReadSink sink;
  private final ProbeCounts counts;
  private final long intervalNanos;
  private final CountDownLatch closed = new CountDownLatch(1);
  private volatile Optional<String> trouble = Optional.empty();
  private volatile List<ProbeSession> sessions = List.of();

  /**
   * @param intervalNanos between two pairs of reads
   */
  MoveProber(
      Migration migration,
      Move move,
      ChangedRows changed,
      Places places,
      ReadSink sink,
      ProbeCounts counts,
      long intervalNanos) {
    this.migration = migration;
    this.move = move;
    this.changed = changed;
    this.places = places;
    this.sink = sink;
    this.counts = counts;
    this.intervalNanos = intervalNanos;
  }

  @Override
  public void run() {
    try {
      while (!isClosed(0)) {
        try (ProbeSession source = new ProbeSession(migration.sessions(), move.source());
            ProbeSession destination = new ProbeSession(migration.sessions(), move.destination())) {
          sessions = List.of(source, destination);
          compare(source, destination);
        } catch (SQLException | RuntimeException e) {
          if (!isClosed(0)) {
            note(e);
          }
        }
        isClosed(TimeUnit.MILLISECONDS.toNanos(RECONNECT_MS));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void compare(ProbeSession source, ProbeSession destination)
      throws SQLException, InterruptedException {
    List<ProbedTable> tables = new ArrayList<>();
    for (ShardedTable table : migration.keyspace().sharded()) {
      ProbedTable.of(Catalog.read(source.connection(), table.id()), table).ifPresent(tables::add);
    }
    Random random = new Random();
    Picker picker =
        new Picker(
            tables, changed, rows(source, tables, random), rows(destination, tables, random));
    Comparison comparison =
        new Comparison(
            move,
            new SourceReader(source),
            new DestinationReader(destination, migration.name(), move.source()),
            places,
            sink,
            counts);
    long next = System.nanoTime();
    while (!isClosed(next - System.nanoTime())) {
      comparison.step(picker);
      trouble = Optional.empty();
      // a pause is not made up for: a read too few is better than a burst
      next = Math.max(next + intervalNanos, System.nanoTime());
    }
  }

  private RandomRows rows(ProbeSession session, List<ProbedTable> tables, Random random)
      throws SQLException {
    return new RandomRows(
        session, tables, migration.keyspace().partitioning(), move.buckets(), random);
  }

  private boolean isClosed(long waitNanos) throws InterruptedException {
    return closed.await(waitNanos, TimeUnit.NANOSECONDS);
  }

  private void note(Exception e) {
    if (trouble.isEmpty()) {
      log.warn("dual reads {} > {} failed; trying again", move.source(), move.destination(), e);
    }
    trouble =
        Optional.of(
            """
            Dual reads %s > %s fail: %s. Nothing is compared there meanwhile; replication is not \
            affected. They begin again by themselves once both shards can be read."""
                .formatted(move.source(), move.destination(), e.getMessage()));
  }

  Optional<String> trouble() {
    return trouble;
  }

  /** Makes {@link #run} return soon. */
  void stop() {
    closed.countDown();
  }

  /** Breaks the sessions, for a server that does not answer. */
  void abort() {
    for (ProbeSession session : sessions) {
      try {
        session.abort();
      } catch (SQLException e) {
        log.debug("a session could not be broken off", e);
      }
    }
  }
}

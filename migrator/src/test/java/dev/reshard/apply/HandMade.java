package dev.reshard.apply;

import dev.reshard.change.ChangedTable;
import dev.reshard.change.RowChange;
import dev.reshard.change.RowChange.Kind;
import dev.reshard.change.Transaction;
import dev.reshard.keyspace.HashBuckets;
import dev.reshard.keyspace.Partitioning;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Lsn;
import dev.reshard.postgres.ServerIdentity;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** A source whose transactions a test writes by hand. Thread-safe. */
final class HandMade implements ChangeSource.Factory {
  static final Partitioning BUCKETS = new HashBuckets(HashBuckets.Function.MODULO, 16);
  static final Lsn START = new Lsn(1000);
  static final ServerIdentity SERVER = new ServerIdentity("7300000000000000001", 1);

  private final List<Transaction> all = new ArrayList<>();
  private Lsn end = START;
  private int opened;
  private boolean away;

  /** A table as the source sends it; {@code shardKey} null: a reference table. */
  record Source(ChangedTable table, int shardKey) {
    static Source of(String name, List<String> columns, List<String> key, String shardKey) {
      return new Source(
          new ChangedTable(
              new TableId("public", name), columns, key.stream().map(columns::indexOf).toList()),
          shardKey == null ? -1 : columns.indexOf(shardKey));
    }

    RowChange insert(String... row) {
      return new RowChange(
          table,
          Kind.INSERT,
          RowChange.NO_BUCKET,
          bucket(row[Math.max(shardKey, 0)]),
          key(row),
          row);
    }

    /** {@code old} needs its key columns only, the others are not looked at. */
    RowChange update(String[] old, String... row) {
      String before = shardKey < 0 ? null : old[shardKey];
      String after = shardKey < 0 ? null : row[shardKey];
      return new RowChange(
          table,
          Kind.UPDATE,
          bucket(before),
          bucket(RowChange.isUnchanged(after) ? before : after),
          key(old),
          row);
    }

    RowChange delete(String... old) {
      return new RowChange(
          table,
          Kind.DELETE,
          bucket(old[Math.max(shardKey, 0)]),
          RowChange.NO_BUCKET,
          key(old),
          null);
    }

    RowChange truncate() {
      return new RowChange(
          table, Kind.TRUNCATE, RowChange.NO_BUCKET, RowChange.NO_BUCKET, null, null);
    }

    private String[] key(String[] row) {
      return table.key().stream().map(place -> row[place]).toArray(String[]::new);
    }

    private int bucket(String key) {
      return shardKey < 0 ? RowChange.NO_BUCKET : BUCKETS.bucketOf(key);
    }
  }

  static String[] row(String... values) {
    return values;
  }

  /** Commits one transaction; returns its end. */
  Lsn commit(RowChange... changes) {
    return commit(List.of(), List.of(changes));
  }

  Lsn token(String token) {
    return commit(List.of(token), List.of());
  }

  Lsn heartbeat() {
    return commit();
  }

  synchronized Lsn commit(List<String> tokens, List<RowChange> changes) {
    return add(end, tokens, changes);
  }

  /** A transaction that says that one is missing before it. */
  synchronized Lsn commitAfterGap(RowChange... changes) {
    return add(new Lsn(end.value() + 5), List.of(), List.of(changes));
  }

  private Lsn add(Lsn previous, List<String> tokens, List<RowChange> changes) {
    end = new Lsn(end.value() + 10);
    long bytes = changes.stream().mapToLong(HandMade::bytes).sum();
    all.add(
        new Transaction(
            7, SERVER, end, previous, Instant.now(), changes, tokens, all.size(), bytes));
    notifyAll();
    return end;
  }

  private static long bytes(RowChange change) {
    return Stream.of(change.key(), change.values())
        .filter(Objects::nonNull)
        .flatMap(Stream::of)
        .filter(Objects::nonNull)
        .mapToLong(String::length)
        .sum();
  }

  synchronized int timesOpened() {
    return opened;
  }

  /** Makes it impossible to read, as if the broker did not answer; or possible again. */
  synchronized void fails(boolean fails) {
    away = fails;
  }

  private synchronized void requireThere() {
    if (away) {
      throw new IllegalStateException("the broker is away");
    }
  }

  @Override
  public synchronized ChangeSource open(LanePosition position) {
    requireThere();
    opened++;
    int first =
        IntStream.range(0, all.size())
            .filter(i -> all.get(i).end().isAfter(position.applied()))
            .findFirst()
            .orElse(all.size());
    // One earlier comes again, as it does after a restart of capture.
    return new Reader(Math.max(0, first - 1));
  }

  private synchronized List<Transaction> from(int place, Duration timeout) {
    long deadline = System.nanoTime() + timeout.toNanos();
    try {
      for (long left = timeout.toMillis();
          place == all.size() && left > 0;
          left = (deadline - System.nanoTime()) / 1_000_000) {
        wait(left);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return List.copyOf(all.subList(place, all.size()));
  }

  private final class Reader implements ChangeSource {
    private int next;

    Reader(int first) {
      next = first;
    }

    @Override
    public List<Transaction> poll(Duration timeout) {
      requireThere();
      List<Transaction> read = from(next, timeout);
      next += read.size();
      return read;
    }

    @Override
    public void close() {}
  }
}

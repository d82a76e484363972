package dev.reshard.demo;

import dev.reshard.sandbox.SandboxShards;
import java.sql.SQLException;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiConsumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What every row must say: as it was loaded, or as the last transaction left it of which a client
 * was told that it is committed. Thread-safe; each row is changed by one client only. It takes
 * about 200 bytes of memory for a row.
 */
public final class DemoLedger {
  /** Empty: it was deleted. */
  private final Map<RowKey, Optional<RowState>> rows = new ConcurrentHashMap<>();

  private final Optional<String> reference;
  private final AtomicLong acknowledged = new AtomicLong();
  private final Collection<List<Change>> inDoubt = new ConcurrentLinkedQueue<>();
  private final Collection<WrongRowException> foundWrong = new ConcurrentLinkedQueue<>();

  private DemoLedger(Optional<String> reference) {
    this.reference = reference;
  }

  /**
   * The rows as they are now, before any client writes.
   *
   * @param shards the first has rows of the reference table
   * @throws IllegalStateException if a row is there twice
   */
  public static DemoLedger of(SandboxShards shards) throws SQLException, InterruptedException {
    DemoLedger ledger = new DemoLedger(ReferenceRows.digest(shards.all().get(0)));
    DemoTable.scan(shards.all(), (shard, key, state) -> ledger.add(key, state));
    return ledger;
  }

  /** Transactions of which a client was told that they are committed. */
  public long acknowledged() {
    return acknowledged.get();
  }

  /** What {@link ReferenceRows#digest} must say of every shard that has sharded rows. */
  Optional<String> reference() {
    return reference;
  }

  /** What the row must say; empty if it must not be there. */
  Optional<RowState> expected(RowKey key) {
    return rows.getOrDefault(key, Optional.empty());
  }

  /** Whether the row is, or was, one that somebody was told of. */
  boolean knows(RowKey key) {
    return rows.containsKey(key);
  }

  /** All rows; empty: it was deleted. */
  void forEach(BiConsumer<RowKey, Optional<RowState>> action) {
    rows.forEach(action);
  }

  void acknowledge(List<Change> transaction) {
    transaction.forEach(change -> rows.put(change.key(), change.after()));
    acknowledged.incrementAndGet();
  }

  /** The answer to its COMMIT was lost. Nobody may change its rows any more. */
  void doubt(List<Change> transaction) {
    inDoubt.add(List.copyOf(transaction));
  }

  Collection<List<Change>> inDoubt() {
    return List.copyOf(inDoubt);
  }

  /**
   * Tenants whose rows nobody may change any more: what is written next would hide what happened.
   */
  Set<Long> doubtful() {
    return inDoubt.stream()
        .flatMap(List::stream)
        .flatMap(change -> Stream.of(change.before(), change.after()))
        .flatMap(Optional::stream)
        .map(RowState::tenant)
        .collect(Collectors.toSet());
  }

  /** A client found a row that did not say what it must. Nobody may change it any more. */
  void foundWrong(WrongRowException row) {
    foundWrong.add(row);
  }

  Collection<WrongRowException> foundWrong() {
    return List.copyOf(foundWrong);
  }

  private void add(RowKey key, RowState state) {
    if (rows.put(key, Optional.of(state)) != null) {
      throw new IllegalStateException(key + " is there twice before anything has moved");
    }
  }
}

package dev.reshard.demo;

import dev.reshard.sandbox.SandboxShard;
import dev.reshard.sandbox.SandboxShards;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiPredicate;

/**
 * The judge: reads every row of every shard and compares it with the ledger. It uses neither the
 * router nor the shard map, so a row has to be on exactly one shard, whichever; before a migration
 * is complete a moved row is on two.
 *
 * <p>Run it when no client writes. Confined to one thread.
 */
public final class DemoChecker {
  private static final int EXAMPLES = 20;

  private enum Fault {
    LOST,
    DOUBLED,
    STALE,
    DIFFERING,
    EXTRA
  }

  private final DemoLedger ledger;
  private final Map<RowKey, Found> found = new ConcurrentHashMap<>();
  private final Map<Fault, Long> faults = new EnumMap<>(Fault.class);
  private final List<String> examples = new ArrayList<>();

  private DemoChecker(DemoLedger ledger) {
    this.ledger = ledger;
  }

  /** Compares all shards with the ledger. */
  public static CheckReport check(SandboxShards shards, DemoLedger ledger)
      throws SQLException, InterruptedException {
    return check(shards, ledger, (shard, tenant) -> true);
  }

  /**
   * Compares what each shard owns with the ledger: for a migration that is under way.
   *
   * @param owns whether the shard of that name owns the rows of a tenant
   */
  public static CheckReport check(
      SandboxShards shards, DemoLedger ledger, BiPredicate<String, Long> owns)
      throws SQLException, InterruptedException {
    DemoChecker checker = new DemoChecker(ledger);
    DemoTable.scan(
        shards.all(),
        (shard, key, state) -> {
          if (owns.test(shard.name(), state.tenant())) {
            checker.found.merge(key, new Found(state, List.of(shard.name())), Found::and);
          }
        });
    for (SandboxShard shard : shards.all()) {
      checker.compareReference(shard);
    }
    return checker.judge();
  }

  /** Where a row is, once for each time that it is there. */
  private record Found(RowState state, List<String> shards) {
    Found and(Found again) {
      List<String> all = new ArrayList<>(shards);
      all.addAll(again.shards);
      return new Found(state, all);
    }
  }

  /** A shard that is in use must have the reference table as it was. */
  private void compareReference(SandboxShard shard) throws SQLException {
    boolean used = found.values().stream().anyMatch(row -> row.shards().contains(shard.name()));
    if (used && !ReferenceRows.digest(shard).equals(ledger.reference())) {
      count(Fault.DIFFERING, "reference table plans on " + shard.name());
    }
  }

  private CheckReport judge() {
    Set<RowKey> inDoubt = new HashSet<>();
    ledger.inDoubt().forEach(changes -> changes.forEach(change -> inDoubt.add(change.key())));
    Set<RowKey> faulty = new HashSet<>();
    ledger.forEach(
        (key, expected) -> {
          if (!inDoubt.contains(key)) {
            faultOf(expected, Optional.ofNullable(found.get(key)))
                .ifPresent(
                    fault -> {
                      faulty.add(key);
                      count(fault, key);
                    });
          }
        });
    ledger.inDoubt().forEach(this::judgeInDoubt);
    for (WrongRowException wrong : ledger.foundWrong()) {
      if (faulty.add(wrong.key())) {
        count(wrong.isLost() ? Fault.LOST : Fault.DIFFERING, wrong.key() + ", seen by a client");
      }
    }
    found.forEach(
        (key, row) -> {
          if (!ledger.knows(key) && !inDoubt.contains(key)) {
            count(Fault.EXTRA, "%s on %s".formatted(key, row.shards()));
          }
        });
    return report();
  }

  private static Optional<Fault> faultOf(Optional<RowState> expected, Optional<Found> found) {
    if (expected.isEmpty()) {
      return found.map(deleted -> Fault.STALE);
    }
    if (found.isEmpty()) {
      return Optional.of(Fault.LOST);
    }
    if (found.get().shards().size() > 1) {
      return Optional.of(Fault.DOUBLED);
    }
    RowState is = found.get().state();
    if (is.digest().equals(expected.get().digest())) {
      return Optional.empty();
    }
    return Optional.of(is.version() < expected.get().version() ? Fault.STALE : Fault.DIFFERING);
  }

  /** All rows as before, or all as after, and none twice. */
  private void judgeInDoubt(List<Change> changes) {
    boolean absent = changes.stream().allMatch(change -> is(change.key(), change.before()));
    boolean there = changes.stream().allMatch(change -> is(change.key(), change.after()));
    for (Change change : changes) {
      Found row = found.get(change.key());
      if (row != null && row.shards().size() > 1) {
        count(Fault.DOUBLED, change.key());
      } else if (!absent && !there) {
        count(Fault.DIFFERING, change.key() + ", of a transaction that is there in part");
      }
    }
  }

  private boolean is(RowKey key, Optional<RowState> state) {
    Found row = found.get(key);
    return row == null
        ? state.isEmpty()
        : state.isPresent() && row.state().digest().equals(state.get().digest());
  }

  private void count(Fault fault, Object what) {
    faults.merge(fault, 1L, Long::sum);
    if (examples.size() < EXAMPLES) {
      examples.add("%s: %s".formatted(fault.name().toLowerCase(Locale.ROOT), what));
    }
  }

  private CheckReport report() {
    long[] rows = {0};
    ledger.forEach((key, state) -> rows[0]++);
    return new CheckReport(
        ledger.acknowledged(),
        rows[0],
        faults.getOrDefault(Fault.LOST, 0L),
        faults.getOrDefault(Fault.DOUBLED, 0L),
        faults.getOrDefault(Fault.STALE, 0L),
        ledger.inDoubt().size(),
        faults.getOrDefault(Fault.DIFFERING, 0L),
        faults.getOrDefault(Fault.EXTRA, 0L),
        examples);
  }
}

package dev.reshard.apply;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reshard.apply.HandMade.Source;
import dev.reshard.apply.LaneFilter.Fate;
import dev.reshard.change.RowChange;
import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.Keyspace;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * HAZARDS F33: any history, coalesced, leaves the rows that it leaves when it is applied change by
 * change.
 */
class CoalescedEqualsInOrderTest {
  private static final int HISTORIES = 3_000;
  private static final BucketSet BUCKETS = BucketSet.range(0, 2);
  private static final Source TABLE =
      Source.of("t", List.of("tenant_id", "id", "a", "b"), List.of("tenant_id", "id"), "tenant_id");
  private static final RowKey KEY = RowKey.of(TABLE.table(), List.of());
  private static final LaneFilter FILTER =
      new LaneFilter(
          BUCKETS,
          false,
          new Keyspace(
              "shop",
              HandMade.BUCKETS,
              List.of(new Keyspace.ShardedTable(TABLE.table().id(), "tenant_id")),
              List.of()),
          Set.of());

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void theFinalRowsAreTheSame(long seed) {
    Random random = new Random(seed);
    for (int history = 0; history < HISTORIES; history++) {
      Map<String, String[]> source = new TreeMap<>();
      for (int i = random.nextInt(6); i > 0; i--) {
        put(source, newRow(random));
      }
      Map<String, String[]> coalesced = moving(source);
      Coalescer coalescer = coalescer(1 + random.nextInt(12));
      List<String> log = new ArrayList<>();
      for (int i = 0; i < 1 + random.nextInt(25); i++) {
        RowChange change = change(source, random);
        if (change != null) {
          log.add(change.kind() + Arrays.toString(change.key()) + Arrays.toString(change.values()));
          Fate fate = FILTER.of(change);
          if (fate != Fate.IGNORE) {
            coalescer.add(fate, change);
          }
        }
      }
      coalescer.steps().forEach(step -> apply(coalesced, step));
      assertEquals(
          text(moving(source)), text(coalesced), "seed " + seed + ", history " + history + log);
    }
  }

  private static Coalescer coalescer(int maxRows) {
    BitSet neverSet = new BitSet();
    neverSet.set(0, 2);
    return new Coalescer(TABLE.table(), KEY, neverSet, maxRows, 1 << 20);
  }

  /** Changes the source at random, and says how. */
  private static RowChange change(Map<String, String[]> source, Random random) {
    String[] picked =
        source.isEmpty()
            ? null
            : new ArrayList<>(source.values()).get(random.nextInt(source.size()));
    switch (random.nextInt(12)) {
      case 0 -> {
        source.clear();
        return TABLE.truncate();
      }
      case 1, 2, 3 -> {
        String[] row = newRow(random);
        if (source.containsKey(key(row))) {
          return null;
        }
        put(source, row);
        return TABLE.insert(row);
      }
      case 4, 5 -> {
        if (picked == null) {
          return null;
        }
        source.remove(key(picked));
        return TABLE.delete(picked);
      }
      default -> {
        return picked == null ? null : update(source, picked, random);
      }
    }
  }

  private static RowChange update(Map<String, String[]> source, String[] old, Random random) {
    String[] row = old.clone();
    if (random.nextInt(3) == 0) {
      row[random.nextInt(2)] = "" + random.nextInt(4);
    }
    row[2 + random.nextInt(2)] = value(random);
    if (!key(row).equals(key(old)) && source.containsKey(key(row))) {
      return null;
    }
    source.remove(key(old));
    put(source, row);
    String[] sent = row.clone();
    boolean enters =
        !BUCKETS.contains(Integer.parseInt(old[0])) && BUCKETS.contains(Integer.parseInt(row[0]));
    for (int i = 2; i < 4 && !enters; i++) {
      if (Objects.equals(row[i], old[i]) && random.nextBoolean()) {
        sent[i] = RowChange.UNCHANGED;
      }
    }
    return TABLE.update(old, sent);
  }

  private static void apply(Map<String, String[]> rows, Step step) {
    if (step instanceof Step.Clear) {
      rows.clear();
    } else if (step instanceof Step.KeyChange change) {
      String[] old = rows.remove(String.join("/", change.oldKey()));
      put(rows, over(old, change.values()));
    } else if (step instanceof Step.Net net) {
      net.deletes().forEach(key -> assertEquals(true, rows.remove(String.join("/", key)) != null));
      net.updates()
          .forEach(
              (shape, updates) ->
                  updates.forEach(
                      update -> {
                        String[] row = rows.get(String.join("/", update.key()));
                        shape.stream().forEach(place -> row[place] = update.values()[place]);
                      }));
      net.inserts().forEach(row -> assertEquals(false, rows.containsKey(key(row))));
      net.inserts().forEach(row -> put(rows, row));
    } else {
      throw new AssertionError(step);
    }
  }

  private static String[] over(String[] old, String[] values) {
    String[] row = values.clone();
    for (int i = 0; i < row.length; i++) {
      row[i] = RowChange.isUnchanged(row[i]) ? old[i] : row[i];
    }
    return row;
  }

  private static Map<String, String[]> moving(Map<String, String[]> rows) {
    Map<String, String[]> moving = new TreeMap<>();
    rows.values().stream()
        .filter(row -> BUCKETS.contains(Integer.parseInt(row[0])))
        .forEach(row -> put(moving, row));
    return moving;
  }

  private static String[] newRow(Random random) {
    return HandMade.row(
        "" + random.nextInt(4), "" + random.nextInt(4), value(random), value(random));
  }

  private static String value(Random random) {
    int value = random.nextInt(5);
    return value == 0 ? null : "v" + value;
  }

  private static void put(Map<String, String[]> rows, String[] row) {
    rows.put(key(row), row.clone());
  }

  private static String key(String[] row) {
    return row[0] + "/" + row[1];
  }

  private static List<String> text(Map<String, String[]> rows) {
    return rows.values().stream().map(Arrays::toString).toList();
  }
}

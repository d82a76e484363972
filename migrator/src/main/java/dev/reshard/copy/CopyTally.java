package dev.reshard.copy;

import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Lsn;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Adds up what workers copy, and tells the listener. Thread-safe. */
final class CopyTally {
  private static final class OfTable {
    private long blocks;
    private long bytes;
    private final Map<ShardId, Long> rows = new TreeMap<>();
    private final List<String> strayKeys = new ArrayList<>();
  }

  private final CopyPlan plan;
  private final CopyListener listener;
  private final int chunkBlocks;
  private final Map<TableId, OfTable> tables = new HashMap<>();
  private Map<ShardId, Loaded> before = Map.of();

  /**
   * @param chunkBlocks how tables are cut, in pages of 8 KiB
   */
  CopyTally(CopyPlan plan, int chunkBlocks, CopyListener listener) {
    this.plan = plan;
    this.chunkBlocks = chunkBlocks;
    this.listener = listener;
    Map<TableId, Long> blocks = new TreeMap<>();
    plan.tables().forEach(table -> blocks.put(table.table().id(), table.blocks()));
    listener.begins(plan.source(), blocks);
  }

  /** What earlier rounds brought. */
  synchronized void begin(Map<ShardId, Loaded> loaded) {
    before = loaded;
    for (TableCopy table : plan.tables()) {
      TableId id = table.table().id();
      OfTable sum = new OfTable();
      sum.blocks = blocks(table, loaded);
      table
          .targets()
          .forEach(t -> sum.rows.put(t.destination(), loaded.get(t.destination()).rows(id)));
      if (sum.rows.values().stream().anyMatch(rows -> rows > 0)) {
        tables.put(id, sum);
        tell(table, sum);
      }
    }
  }

  /** How many pages of a table all its targets have. */
  private long blocks(TableCopy table, Map<ShardId, Loaded> loaded) {
    return Chunk.cut(table.table(), chunkBlocks).stream()
        .filter(chunk -> isThere(table, chunk, loaded))
        .mapToLong(Chunk::blocks)
        .sum();
  }

  private static boolean isThere(TableCopy table, Chunk chunk, Map<ShardId, Loaded> loaded) {
    return table.targets().stream().allMatch(t -> loaded.get(t.destination()).has(chunk));
  }

  private boolean isWhole(TableCopy table, Map<ShardId, Loaded> loaded) {
    return Chunk.cut(table.table(), chunkBlocks).stream()
        .allMatch(chunk -> isThere(table, chunk, loaded));
  }

  synchronized void add(TableCopy table, Chunk chunk, ChunkCopier.Copied copied) {
    OfTable sum = tables.computeIfAbsent(chunk.table(), id -> new OfTable());
    sum.blocks += chunk.blocks();
    sum.bytes += copied.bytes();
    copied.rows().forEach((destination, rows) -> sum.rows.merge(destination, rows, Long::sum));
    copied.strayKeys().stream()
        .limit(Strays.KEYS - sum.strayKeys.size())
        .forEach(sum.strayKeys::add);
    tell(table, sum);
  }

  private void tell(TableCopy table, OfTable sum) {
    listener.copied(
        new CopyListener.Progress(
            plan.source(),
            table.table().id(),
            sum.blocks,
            table.blocks(),
            sum.bytes,
            Map.copyOf(sum.rows)));
  }

  /**
   * What the ledgers say, and the keys of strays that were seen.
   *
   * @param recounted strays of tables for which the ledgers say what was
   */
  synchronized CopyResult result(
      Lsn anchor, boolean complete, Map<ShardId, Loaded> loaded, Map<TableId, Strays> recounted) {
    Map<TableId, Map<ShardId, Long>> rows = new TreeMap<>();
    Map<TableId, Strays> strays = new TreeMap<>();
    for (TableCopy table : plan.tables()) {
      TableId id = table.table().id();
      Map<ShardId, Long> byDestination = new TreeMap<>();
      Map<CopyLedger.Place, Long> strayRows = new HashMap<>();
      for (Target target : table.targets()) {
        Loaded there = loaded.get(target.destination());
        byDestination.put(target.destination(), there.rows(id));
        there
            .entries()
            .forEach(
                (place, entry) -> {
                  if (place.table().equals(id)) {
                    strayRows.put(place, entry.strays());
                  }
                });
      }
      rows.put(id, byDestination);
      if (recounted.containsKey(id)) {
        Strays now = recounted.get(id);
        if (now.rows() > 0) {
          strays.put(id, now);
        }
        continue;
      }
      long count = strayRows.values().stream().mapToLong(Long::longValue).sum();
      if (count > 0) {
        OfTable seen = tables.getOrDefault(id, new OfTable());
        strays.put(id, new Strays(count, seen.strayKeys));
      }
    }
    return new CopyResult(plan.source(), anchor, complete, rows, strays, inVain(loaded));
  }

  private Optional<CopyResult.Begun> inVain(Map<ShardId, Loaded> now) {
    List<TableCopy> wanted =
        plan.tables().stream()
            .filter(table -> !table.table().isKeyed() && !isWhole(table, before))
            .toList();
    if (wanted.stream().anyMatch(table -> isWhole(table, now))) {
      return Optional.empty();
    }
    return wanted.stream()
        .map(t -> new CopyResult.Begun(t.table().id(), blocks(t, now), t.blocks()))
        .filter(table -> table.blocks() > 0)
        .max(Comparator.comparingLong(CopyResult.Begun::blocks));
  }
}

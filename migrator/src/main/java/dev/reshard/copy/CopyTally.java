package dev.reshard.copy;

import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Lsn;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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
  private final Map<TableId, OfTable> tables = new HashMap<>();

  CopyTally(CopyPlan plan, CopyListener listener) {
    this.plan = plan;
    this.listener = listener;
    Map<TableId, Long> blocks = new TreeMap<>();
    plan.tables().forEach(table -> blocks.put(table.table().id(), table.blocks()));
    listener.begins(plan.source(), blocks);
  }

  synchronized void add(TableCopy table, Chunk chunk, ChunkCopier.Copied copied) {
    OfTable sum = tables.computeIfAbsent(chunk.table(), id -> new OfTable());
    sum.blocks += chunk.blocks();
    sum.bytes += copied.bytes();
    copied.rows().forEach((destination, rows) -> sum.rows.merge(destination, rows, Long::sum));
    copied.strayKeys().stream()
        .limit(Strays.KEYS - sum.strayKeys.size())
        .forEach(sum.strayKeys::add);
    listener.copied(
        new CopyListener.Progress(
            plan.source(),
            chunk.table(),
            sum.blocks,
            table.blocks(),
            sum.bytes,
            Map.copyOf(sum.rows)));
  }

  /** What the ledgers say, and the keys of strays that were seen. */
  synchronized CopyResult result(
      Lsn anchor, boolean complete, Map<ShardId, Map<CopyLedger.Place, CopyLedger.Entry>> ledgers) {
    Map<TableId, Map<ShardId, Long>> rows = new TreeMap<>();
    Map<TableId, Strays> strays = new TreeMap<>();
    for (TableCopy table : plan.tables()) {
      TableId id = table.table().id();
      Map<ShardId, Long> byDestination = new TreeMap<>();
      Map<CopyLedger.Place, Long> strayRows = new HashMap<>();
      for (Target target : table.targets()) {
        byDestination.put(target.destination(), 0L);
        ledgers
            .get(target.destination())
            .forEach(
                (place, entry) -> {
                  if (place.table().equals(id)) {
                    byDestination.merge(target.destination(), entry.rows(), Long::sum);
                    strayRows.put(place, entry.strays());
                  }
                });
      }
      rows.put(id, byDestination);
      long count = strayRows.values().stream().mapToLong(Long::longValue).sum();
      if (count > 0) {
        OfTable seen = tables.getOrDefault(id, new OfTable());
        strays.put(id, new Strays(count, seen.strayKeys));
      }
    }
    return new CopyResult(plan.source(), anchor, complete, rows, strays);
  }
}

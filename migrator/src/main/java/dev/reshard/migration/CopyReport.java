package dev.reshard.migration;

import dev.reshard.copy.CopyListener;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** How far the copy has come, for the status. Thread-safe. */
public final class CopyReport implements CopyListener, Service {
  private final Map<ShardId, Map<TableId, Progress>> progress = new TreeMap<>();

  @Override
  public synchronized void copied(Progress of) {
    progress.computeIfAbsent(of.source(), source -> new TreeMap<>()).put(of.table(), of);
  }

  @Override
  public synchronized Map<String, Object> report() {
    List<Map<String, Object>> tables = new ArrayList<>();
    progress.forEach(
        (source, byTable) ->
            byTable.forEach(
                (table, of) -> {
                  Map<String, Object> line = new LinkedHashMap<>();
                  line.put("source", source.name());
                  line.put("table", table.toString());
                  line.put("blocks", of.blocks());
                  line.put("total_blocks", of.totalBlocks());
                  line.put("bytes", of.bytes());
                  Map<String, Long> rows = new TreeMap<>();
                  of.rows().forEach((shard, count) -> rows.put(shard.name(), count));
                  line.put("rows", rows);
                  tables.add(line);
                }));
    return Map.of("copy", tables);
  }

  @Override
  public void start() {}

  @Override
  public Optional<String> trouble() {
    return Optional.empty();
  }

  @Override
  public void close() {}
}

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
import java.util.function.LongSupplier;
import java.util.function.ToLongFunction;

/** How far the copy has come and how long it will take, for the status. Thread-safe. */
public final class CopyReport implements CopyListener, Service {

  /** How fast a table, or all of one source's, goes on. */
  private record Way(Pace blocks, Pace bytes) {
    private Way(long nowNanos) {
      this(new Pace(nowNanos), new Pace(nowNanos));
    }

    private void note(long now, long moreBlocks, long moreBytes) {
      blocks.note(now, moreBlocks);
      bytes.note(now, moreBytes);
    }
  }

  private final LongSupplier nanos;
  private final Map<ShardId, Map<TableId, Progress>> progress = new TreeMap<>();
  private final Map<ShardId, Map<TableId, Way>> tables = new TreeMap<>();
  private final Map<ShardId, Way> sources = new TreeMap<>();
  private final Map<ShardId, String> troubles = new TreeMap<>();

  public CopyReport() {
    this(System::nanoTime);
  }

  /** With a clock. */
  CopyReport(LongSupplier nanos) {
    this.nanos = nanos;
  }

  @Override
  public synchronized void begins(ShardId source, Map<TableId, Long> totalBlocks) {
    long now = nanos.getAsLong();
    Map<TableId, Progress> nothing = new TreeMap<>();
    Map<TableId, Way> ways = new TreeMap<>();
    totalBlocks.forEach(
        (table, blocks) -> {
          nothing.put(table, new Progress(source, table, 0, blocks, 0, Map.of()));
          ways.put(table, new Way(now));
        });
    progress.put(source, nothing);
    tables.put(source, ways);
    sources.put(source, new Way(now));
  }

  @Override
  public synchronized void copied(Progress of) {
    long now = nanos.getAsLong();
    Map<TableId, Progress> ofSource = progress.get(of.source());
    ofSource.put(of.table(), of);
    tables.get(of.source()).get(of.table()).note(now, of.blocks(), of.bytes());
    sources
        .get(of.source())
        .note(now, sum(ofSource, Progress::blocks), sum(ofSource, Progress::bytes));
  }

  private static long sum(Map<TableId, Progress> tables, ToLongFunction<Progress> what) {
    return tables.values().stream().mapToLong(what).sum();
  }

  /**
   * {@code copy}: each source's tables; {@code copy_sources}: each source. Sizes in pages of 8 KiB
   * that were read and in bytes that were sent; {@code eta_s} is -1 while nobody can know.
   */
  @Override
  public synchronized Map<String, Object> report() {
    long now = nanos.getAsLong();
    List<Map<String, Object>> lines = new ArrayList<>();
    List<Map<String, Object>> sums = new ArrayList<>();
    progress.forEach(
        (source, byTable) -> {
          byTable.forEach(
              (table, of) -> {
                Map<String, Object> line = new LinkedHashMap<>();
                line.put("source", source.name());
                line.put("table", table.toString());
                Map<String, Long> rows = new TreeMap<>();
                of.rows().forEach((shard, count) -> rows.put(shard.name(), count));
                line.put("rows", rows);
                put(
                    line,
                    tables.get(source).get(table),
                    now,
                    of.blocks(),
                    of.totalBlocks(),
                    of.bytes());
                lines.add(line);
              });
          Map<String, Object> sum = new LinkedHashMap<>();
          sum.put("source", source.name());
          put(
              sum,
              sources.get(source),
              now,
              sum(byTable, Progress::blocks),
              sum(byTable, Progress::totalBlocks),
              sum(byTable, Progress::bytes));
          sums.add(sum);
        });
    return Map.of("copy", lines, "copy_sources", sums);
  }

  private static void put(
      Map<String, Object> line, Way way, long now, long blocks, long totalBlocks, long bytes) {
    line.put("blocks", blocks);
    line.put("total_blocks", totalBlocks);
    line.put("bytes", bytes);
    line.put("bytes_per_s", Math.round(way.bytes().perSecond(now).orElse(0)));
    line.put("eta_s", way.blocks().secondsFor(totalBlocks - blocks, now));
    line.put("idle_s", way.blocks().idleSeconds(now));
  }

  @Override
  public void start() {}

  /** What keeps a source's next round from beginning; empty when nothing does. */
  synchronized void waits(ShardId source, Optional<String> why) {
    troubles.remove(source);
    why.ifPresent(text -> troubles.put(source, text));
  }

  @Override
  public synchronized Optional<String> trouble() {
    return troubles.values().stream().findFirst();
  }
}

package dev.reshard.demo;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The figures of a demo, as they come, and then as {@code report.json}. Confined to one thread. */
final class DemoReport {
  private final DemoOptions options;
  private final Instant started = Instant.now();
  private final List<Map<String, Object>> cutovers = new ArrayList<>();
  private final List<Map<String, Object>> rollbacks = new ArrayList<>();
  private long rowsCopied;
  private long changesApplied;

  DemoReport(DemoOptions options) {
    this.options = options;
  }

  /**
   * Whether a report can be written, found out before anything starts.
   *
   * @throws IOException saying why not
   */
  static void tryPath(Path file) throws IOException {
    boolean there = Files.exists(file);
    Files.newByteChannel(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE).close();
    if (!there) {
      Files.delete(file);
    }
  }

  void copied(long rows) {
    rowsCopied = rows;
  }

  void applied(long changes) {
    changesApplied = changes;
  }

  void cutover(int buckets, DemoWaits waits, long failed) {
    cutovers.add(handOver(buckets, waits, failed));
  }

  void rollback(int buckets, DemoWaits waits, long failed) {
    rollbacks.add(handOver(buckets, waits, failed));
  }

  private static Map<String, Object> handOver(int buckets, DemoWaits waits, long failed) {
    Map<String, Object> entry = new LinkedHashMap<>();
    entry.put("stage", "all");
    entry.put("buckets", buckets);
    Map<String, Object> pause = new LinkedHashMap<>();
    pause.put("p50", millis(waits.p50()));
    pause.put("p99", millis(waits.p99()));
    pause.put("max", millis(waits.max()));
    entry.put("pause_ms", pause);
    entry.put("failed_requests", failed);
    return entry;
  }

  private static double millis(Duration duration) {
    return duration.toNanos() / 1e6;
  }

  void write(CheckReport check, List<String> leftovers, List<String> guardsKept)
      throws IOException {
    Map<String, Object> report = new LinkedHashMap<>();
    report.put("started", started.truncatedTo(ChronoUnit.SECONDS).toString());
    report.put("seconds", Duration.between(started, Instant.now()).toMillis() / 1e3);
    report.put("shards", "%d:%d".formatted(options.before(), options.after()));
    report.put("rows", options.rows());
    report.put("tps", options.tps());
    report.put("rows_copied", rowsCopied);
    report.put("changes_applied", changesApplied);
    report.put("acknowledged_writes", check.acknowledged());
    report.put("lost_writes", check.lost());
    report.put("duplicated_writes", check.doubled());
    report.put("stale_writes", check.stale());
    report.put("unknown_writes", check.unknown());
    report.put("differing_rows", check.differing() + check.extra());
    report.put("cutovers", cutovers);
    report.put("rollbacks", rollbacks);
    report.put("leftovers", leftovers);
    report.put("guards_kept", guardsKept);
    new ObjectMapper()
        .enable(SerializationFeature.INDENT_OUTPUT)
        .writeValue(options.report().toFile(), report);
  }
}

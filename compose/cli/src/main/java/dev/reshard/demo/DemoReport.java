package dev.reshard.demo;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The figures of a demo, as they come, and then as {@code report.json}. Confined to one thread. */
final class DemoReport {
  private final List<Map<String, Object>> cutovers = new ArrayList<>();
  private final List<Map<String, Object>> rollbacks = new ArrayList<>();
  private long rowsCopied;
  private long changesApplied;

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

  void write(Path file, CheckReport check, List<String> leftovers, List<String> guardsKept)
      throws IOException {
    Map<String, Object> report = new LinkedHashMap<>();
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
    new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT).writeValue(file.toFile(), report);
  }
}

package dev.reshard.migration;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reshard.copy.CopyListener.Progress;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class CopyReportTest {
  private static final ShardId A = new ShardId("a");
  private static final TableId ORDERS = new TableId("public", "orders");
  private static final TableId EMPTY = new TableId("public", "empty");

  private final AtomicLong nanos = new AtomicLong(5);
  private final CopyReport report = new CopyReport(nanos::get);

  @Test
  void theTimeThatIsLeftFollowsThePaceOfTheLastMinute() {
    report.begins(A, Map.of(ORDERS, 10_000L, EMPTY, 0L));
    assertEquals(-1L, ofSource().get("eta_s"), "nobody can know yet");
    for (int second = 1; second <= 20; second++) {
      after(1);
      report.copied(orders(second * 10L)); // slowly
    }
    for (int second = 1; second <= 70; second++) {
      after(1);
      report.copied(orders(200 + second * 100L)); // then fast
    }
    assertEquals(28L, ofSource().get("eta_s"), "2800 pages at 100 a second");
    assertEquals(28L, ofTable("public.orders").get("eta_s"));
    assertEquals(0L, ofTable("public.empty").get("eta_s"));
    assertEquals(819_200L, ofSource().get("bytes_per_s"));
  }

  @Test
  void aCopyThatStandsStillSaysForHowLong() {
    report.begins(A, Map.of(ORDERS, 100L));
    after(1);
    report.copied(orders(10));
    after(30);
    assertEquals(30L, ofSource().get("idle_s"));
  }

  @Test
  void aCopyThatBeginsAgainCountsFromNothing() {
    report.begins(A, Map.of(ORDERS, 100L));
    after(1);
    report.copied(orders(90));
    report.begins(A, Map.of(ORDERS, 100L));
    assertEquals(0L, ofTable("public.orders").get("blocks"));
    assertEquals(0L, ofSource().get("blocks"));
    assertEquals(-1L, ofSource().get("eta_s"));
  }

  private static Progress orders(long blocks) {
    return new Progress(A, ORDERS, blocks, 10_000, blocks * 8192, Map.of(new ShardId("c"), blocks));
  }

  private void after(long seconds) {
    nanos.addAndGet(seconds * 1_000_000_000);
  }

  private Map<String, Object> ofSource() {
    return lines("copy_sources").get(0);
  }

  private Map<String, Object> ofTable(String table) {
    return lines("copy").stream()
        .filter(line -> line.get("table").equals(table))
        .findFirst()
        .orElseThrow();
  }

  @SuppressWarnings("unchecked") // a report is plain lists and maps
  private List<Map<String, Object>> lines(String name) {
    return (List<Map<String, Object>>) report.report().get(name);
  }
}

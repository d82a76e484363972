package dev.reshard.change;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.reshard.postgres.Lsn;
import dev.reshard.postgres.Marker;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ChunkSummaryTest {
  private final Records records = new Records(4, 100);

  @Test
  void itCountsRowsByTableAndNamesColumnsButNoValue() {
    ChunkSummary summary = ChunkSummary.of(records.inserts(200, "hush", "hush hush").get(0));
    assertEquals(4, summary.incarnation());
    assertEquals(new Lsn(200), summary.end().orElseThrow().end());
    ChunkSummary.Changes changes = summary.tables().get(0);
    assertEquals("public.orders", changes.table().toString());
    assertEquals(List.of("id", "customer"), changes.key());
    assertEquals(Map.of(RowChange.Kind.INSERT, 2L), changes.rows());
    assertFalse(summary.toString().contains("hush"), summary::toString);
  }

  @Test
  void aTokenIsShownWithoutTheSecret() {
    Marker marker = Marker.random();
    records.encoder().begin(new Lsn(199), Records.COMMITTED);
    records.encoder().token(marker.token("a > c 1"));
    records.encoder().commit(new Lsn(200));
    ChunkSummary summary = ChunkSummary.of(records.taken().get(0));
    assertEquals(List.of("a > c 1"), summary.tokens());
    assertFalse(summary.toString().contains(marker.secret()));
  }
}

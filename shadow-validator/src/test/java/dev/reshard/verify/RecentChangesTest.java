package dev.reshard.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.keyspace.TableId;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class RecentChangesTest {
  private static final TableId ORDERS = new TableId("public", "orders");
  private static final int MOST = 500_000;

  private final RecentChanges changes = new RecentChanges();

  @Test
  void aRowThatChangesTwiceIsKeptOnce() {
    changes.collect(Set.of());
    change(7);
    change(7);
    RecentChanges.Rows rows = changes.take();
    assertEquals(List.of(List.of("7")), rows.of(ORDERS).orElseThrow().keys());
    assertEquals(0, rows.left());
  }

  @Test
  void nothingIsKeptWhileNobodyWantsToKnow() {
    change(1);
    changes.collect(Set.of());
    assertTrue(changes.take().of(ORDERS).isEmpty());
    change(2);
    changes.collect(Set.of());
    assertTrue(changes.take().of(ORDERS).isEmpty());
  }

  @Test
  void whatIsTooMuchIsCountedNotForgotten() {
    changes.collect(Set.of());
    for (int i = 0; i < MOST + 3; i++) {
      change(i);
    }
    RecentChanges.Rows rows = changes.take();
    assertEquals(MOST, rows.of(ORDERS).orElseThrow().keys().size());
    assertEquals(3, rows.left());
    changes.collect(Set.of());
    assertEquals(0, changes.take().left());
  }

  /** One shard made its key in another order, or without a column. */
  @Test
  void valuesStandByTheirColumnsWhateverOrderAShardHasThemIn() {
    changes.collect(Set.of());
    changes.changed(ORDERS, List.of("tenant", "id"), List.of("1", "7"));
    changes.changed(ORDERS, List.of("id", "tenant"), List.of("7", "1"));
    changes.changed(ORDERS, List.of("id", "tenant"), List.of("8", "2"));
    changes.changed(ORDERS, List.of("id"), List.of("9"));
    RecentChanges.Rows rows = changes.take();
    RecentChanges.TableRows orders = rows.of(ORDERS).orElseThrow();
    assertEquals(List.of("tenant", "id"), orders.columns());
    assertEquals(List.of(List.of("1", "7"), List.of("2", "8")), orders.keys());
    assertEquals(1, rows.left());
  }

  @Test
  void rowsWithoutAKeyAreNotKept() {
    changes.collect(Set.of(ORDERS));
    change(1);
    RecentChanges.Rows rows = changes.take();
    assertTrue(rows.of(ORDERS).isEmpty());
    assertEquals(0, rows.left());
  }

  private void change(int key) {
    changes.changed(ORDERS, List.of("id"), List.of(Integer.toString(key)));
  }
}

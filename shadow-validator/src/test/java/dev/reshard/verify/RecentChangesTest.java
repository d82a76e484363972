package dev.reshard.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.keyspace.TableId;
import java.util.List;
import org.junit.jupiter.api.Test;

class RecentChangesTest {
  private static final TableId ORDERS = new TableId("public", "orders");
  private static final int MOST = 500_000;

  private final RecentChanges changes = new RecentChanges();

  @Test
  void aRowThatChangesTwiceIsKeptOnce() {
    changes.collect();
    change(7);
    change(7);
    RecentChanges.Rows rows = changes.take();
    assertEquals(List.of(List.of("7")), rows.of(ORDERS).orElseThrow().keys());
    assertEquals(0, rows.left());
  }

  @Test
  void nothingIsKeptWhileNobodyWantsToKnow() {
    change(1);
    changes.collect();
    assertTrue(changes.take().of(ORDERS).isEmpty());
    change(2);
    changes.collect();
    assertTrue(changes.take().of(ORDERS).isEmpty());
  }

  @Test
  void whatIsTooMuchIsCountedNotForgotten() {
    changes.collect();
    for (int i = 0; i < MOST + 3; i++) {
      change(i);
    }
    RecentChanges.Rows rows = changes.take();
    assertEquals(MOST, rows.of(ORDERS).orElseThrow().keys().size());
    assertEquals(3, rows.left());
    changes.collect();
    assertEquals(0, changes.take().left());
  }

  private void change(int key) {
    changes.changed(ORDERS, List.of("id"), List.of(Integer.toString(key)));
  }
}

package dev.reshard.apply;

import static dev.reshard.apply.HandMade.row;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.apply.HandMade.Source;
import dev.reshard.apply.LaneException.Problem;
import dev.reshard.change.RowChange;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What becomes of each kind of change in a destination's tables. */
@Timeout(120)
class LaneIT {
  private static final String ORDERS =
      """
      CREATE TABLE orders (tenant_id bigint NOT NULL, id bigint NOT NULL, state text, note text,
        PRIMARY KEY (tenant_id, id))""";
  private static final Source ORDER =
      Source.of(
          "orders",
          List.of("tenant_id", "id", "state", "note"),
          List.of("tenant_id", "id"),
          "tenant_id");
  private static final String ALL = "SELECT o::text FROM orders o ORDER BY tenant_id, id";

  @Test
  void insertsUpdatesAndDeletes() throws Exception {
    try (LaneKit kit = LaneKit.withSharded("orders", ORDERS)) {
      kit.source.commit(
          ORDER.insert("1", "1", "new", "a"),
          ORDER.insert("1", "2", "new", null),
          ORDER.insert("2", "1", "new", ""));
      kit.applyAll();
      kit.source.commit(ORDER.update(row("1", "1", null, null), "1", "1", "paid", "b"));
      kit.source.commit(ORDER.delete("1", "2", null, null));
      LaneStatus status = kit.applyAll();
      assertEquals(List.of("(1,1,paid,b)", "(2,1,new,\"\")"), kit.query(ALL));
      assertEquals(2, status.rows());
    }
  }

  @Test
  void aDeleteDoesNotTouchAnotherBucketsRowWithTheSameId() throws Exception {
    try (LaneKit kit =
        LaneKit.withSharded(
            "orders", ORDERS, "INSERT INTO orders VALUES (1,1,'x','mine'),(9,1,'x','other')")) {
      kit.source.commit(ORDER.delete("1", "1", null, null));
      kit.applyAll();
      assertEquals(List.of("(9,1,x,other)"), kit.query(ALL));
    }
  }

  @Test
  void aShardKeyChangeMovesTheRowInAllFourDirections() throws Exception {
    try (LaneKit kit =
        LaneKit.withSharded(
            "orders",
            ORDERS,
            "INSERT INTO orders VALUES (1,1,'x','leaves'),(1,2,'x','moves'),(9,3,'x','other')")) {
      kit.source.commit(
          ORDER.update(row("1", "1", null, null), "9", "1", "out", "gone"),
          ORDER.update(row("1", "2", null, null), "2", "2", "in", RowChange.UNCHANGED),
          ORDER.update(row("9", "3", null, null), "3", "3", "came", "whole"),
          ORDER.update(row("9", "3", null, null), "10", "3", "far", "away"));
      kit.applyAll();
      assertEquals(List.of("(2,2,in,moves)", "(3,3,came,whole)", "(9,3,x,other)"), kit.query(ALL));
    }
  }

  @Test
  void aRowThatEntersWithoutAllItsValuesStopsTheLane() throws Exception {
    try (LaneKit kit = LaneKit.withSharded("orders", ORDERS)) {
      kit.source.commit(ORDER.insert("1", "1", "before", null));
      kit.source.commit(
          ORDER.update(row("9", "3", null, null), "3", "3", "came", RowChange.UNCHANGED));
      LaneException stop = kit.stops();
      assertEquals(Problem.ROW_NOT_WHOLE, stop.problem());
      assertTrue(stop.getMessage().contains("column note"), stop.getMessage());
      assertEquals(List.of("(1,1,before,)"), kit.query(ALL));
    }
  }
}

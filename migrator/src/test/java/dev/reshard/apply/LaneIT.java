package dev.reshard.apply;

import static dev.reshard.apply.HandMade.row;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.apply.HandMade.Source;
import dev.reshard.apply.LaneException.Problem;
import dev.reshard.change.RowChange;
import java.util.ArrayList;
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

  @Test
  void unchangedValuesStayInEveryCombination() throws Exception {
    String unchanged = RowChange.UNCHANGED;
    try (LaneKit kit =
        LaneKit.withSharded(
            "orders",
            ORDERS,
            "INSERT INTO orders SELECT 1, n, 's' || n, 'n' || n FROM generate_series(1, 6) n")) {
      kit.source.commit(
          ORDER.update(row("1", "1", null, null), "1", "1", "S1", unchanged),
          ORDER.update(row("1", "2", null, null), "1", "2", unchanged, "N2"),
          ORDER.update(row("1", "3", null, null), "1", "3", unchanged, unchanged),
          ORDER.update(row("1", "4", null, null), "1", "4", "S4", unchanged),
          ORDER.update(row("1", "4", null, null), "1", "4", unchanged, "N4"),
          ORDER.update(row("1", "5", null, null), "1", "5", null, unchanged),
          ORDER.update(row("1", "6", null, null), "2", "6", unchanged, "N6"));
      kit.source.commit(ORDER.insert("3", "1", "i", "big"));
      kit.source.commit(ORDER.update(row("3", "1", null, null), "3", "1", "j", unchanged));
      kit.applyAll();
      assertEquals(
          List.of(
              "(1,1,S1,n1)",
              "(1,2,s2,N2)",
              "(1,3,s3,n3)",
              "(1,4,S4,N4)",
              "(1,5,,n5)",
              "(2,6,s6,N6)",
              "(3,1,j,big)"),
          kit.query(ALL));
    }
  }

  @Test
  void aKeyChangeKeepsTheRowAndItsPlaceInTheOrder() throws Exception {
    try (LaneKit kit =
        LaneKit.withSharded("orders", ORDERS, "INSERT INTO orders VALUES (1,1,'a','first')")) {
      kit.source.commit(
          ORDER.update(row("1", "1", null, null), "1", "1", "b", RowChange.UNCHANGED),
          ORDER.update(row("1", "1", null, null), "1", "2", "c", RowChange.UNCHANGED),
          ORDER.insert("1", "1", "d", "second"),
          ORDER.update(row("1", "2", null, null), "1", "2", "e", RowChange.UNCHANGED));
      kit.applyAll();
      assertEquals(List.of("(1,1,d,second)", "(1,2,e,first)"), kit.query(ALL));
    }
  }

  @Test
  void aTruncateEmptiesOnlyTheLanesBuckets() throws Exception {
    try (LaneKit kit =
        LaneKit.withSharded(
            "orders",
            ORDERS,
            "INSERT INTO orders SELECT n, 1, 's', 'n' FROM generate_series(0, 9) n")) {
      kit.source.commit(
          ORDER.insert("1", "5", "before", null),
          ORDER.truncate(),
          ORDER.insert("1", "6", "after", null));
      kit.applyAll();
      assertEquals(
          List.of("1/6", "4/1", "5/1", "6/1", "7/1", "8/1", "9/1"),
          kit.query("SELECT tenant_id || '/' || id FROM orders ORDER BY tenant_id, id"));
    }
  }

  @Test
  void valuesOfAUniqueColumnMaySwapWithinATransaction() throws Exception {
    try (LaneKit kit =
        LaneKit.withSharded(
            "orders",
            ORDERS,
            "ALTER TABLE orders ADD UNIQUE (tenant_id, state)",
            "INSERT INTO orders VALUES (1,1,'A','x'),(1,2,'B','y')")) {
      kit.source.commit(
          ORDER.update(row("1", "1", null, null), "1", "1", "tmp", "x"),
          ORDER.update(row("1", "2", null, null), "1", "2", "A", "y"),
          ORDER.update(row("1", "1", null, null), "1", "1", "B", "x"));
      kit.source.commit(ORDER.insert("1", "3", "C", "z"));
      kit.applyAll();
      assertEquals(List.of("(1,1,B,x)", "(1,2,A,y)", "(1,3,C,z)"), kit.query(ALL));
    }
  }

  @Test
  void aConflictWithAnotherBucketsRowStopsTheLaneByTheConstraintsName() throws Exception {
    try (LaneKit kit =
        LaneKit.withSharded(
            "orders",
            ORDERS,
            "ALTER TABLE orders ADD CONSTRAINT one_note UNIQUE (note)",
            "INSERT INTO orders VALUES (9,1,'x','secret-value')")) {
      kit.source.commit(ORDER.insert("1", "1", "before", "a"));
      kit.source.commit(ORDER.insert("1", "2", "meets", "secret-value"));
      LaneException stop = kit.stops();
      assertEquals(Problem.CONFLICT, stop.problem());
      assertTrue(stop.getMessage().contains("one_note"), stop.getMessage());
      assertFalse(stop.getMessage().contains("secret-value"), stop.getMessage());
      assertEquals(List.of("(1,1,before,a)", "(9,1,x,secret-value)"), kit.query(ALL));
    }
  }

  @Test
  void aChangeOfARowThatIsNotThereStopsTheLaneWithItsKey() throws Exception {
    try (LaneKit kit = LaneKit.withSharded("orders", ORDERS)) {
      kit.source.commit(ORDER.insert("1", "1", "before", "a"));
      kit.source.commit(
          ORDER.insert("1", "2", "with it", "b"), ORDER.delete("2", "77", null, null));
      LaneException stop = kit.stops();
      assertEquals(Problem.ROW_NOT_FOUND, stop.problem());
      assertTrue(stop.getMessage().contains("[2, 77]"), stop.getMessage());
      assertEquals(List.of("(1,1,before,a)"), kit.query(ALL));
    }
  }

  @Test
  void columnsThatOneSideLacksStopTheLaneWithTheDifference() throws Exception {
    try (LaneKit kit =
        LaneKit.withSharded("orders", ORDERS, "ALTER TABLE orders RENAME COLUMN note TO remark")) {
      kit.source.commit(ORDER.insert("9", "1", "of no concern", "a"));
      kit.source.commit(ORDER.insert("1", "1", "x", "a"));
      LaneException stop = kit.stops();
      assertEquals(Problem.TABLE_DIFFERS, stop.problem());
      assertTrue(
          stop.getMessage().contains("lacks the source's columns [note]"), stop.getMessage());
      assertTrue(stop.getMessage().contains("[remark]"), stop.getMessage());
      assertEquals(List.of(), kit.query(ALL));
    }
  }

  @Test
  void anIdentityWithoutTheShardKeyStopsTheLane() throws Exception {
    Source byId =
        Source.of(
            "orders", List.of("tenant_id", "id", "state", "note"), List.of("id"), "tenant_id");
    try (LaneKit kit = LaneKit.withSharded("orders", ORDERS)) {
      kit.source.commit(byId.insert("1", "1", "x", "a"));
      assertEquals(Problem.TABLE_DIFFERS, kit.stops().problem());
    }
  }

  @Test
  void aTransactionLargerThanABatchIsAppliedWhole() throws Exception {
    try (LaneKit kit =
        LaneKit.withSharded("orders", ORDERS).limits(LaneLimits.DEFAULT.withBatchRows(7))) {
      List<RowChange> changes = new ArrayList<>();
      for (int i = 0; i < 50; i++) {
        changes.add(ORDER.insert("1", "" + i, "new", null));
        changes.add(ORDER.update(row("1", "" + i / 2, null, null), "1", "" + i / 2, "up", "u" + i));
      }
      kit.source.commit(List.of(), changes);
      assertEquals(100, kit.applyAll().rows());
      assertEquals(
          List.of("50/25"), kit.query("SELECT count(*) || '/' || count(note) FROM orders"));
    }
  }

  @Test
  void triggersAndForeignKeysOfTheApplicationDoNotFire() throws Exception {
    try (LaneKit kit =
        LaneKit.withSharded(
            "orders",
            ORDERS,
            "CREATE TABLE tenants (id bigint PRIMARY KEY)",
            "ALTER TABLE orders ADD FOREIGN KEY (tenant_id) REFERENCES tenants (id)",
            """
            CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN NEW.state := upper(NEW.state); RETURN NEW; END $$""",
            "CREATE TRIGGER shout BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION shout()")) {
      kit.source.commit(ORDER.insert("1", "1", "quiet", null));
      kit.applyAll();
      assertEquals(List.of("(1,1,quiet,)"), kit.query(ALL));
    }
  }
}

package dev.reshard.capture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.change.ChangeReader;
import dev.reshard.change.RowChange;
import dev.reshard.change.Transaction;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** HAZARDS F9: values that are stored out of line and that an UPDATE did not touch. */
@Timeout(180)
class UnchangedToastIT {
  private static final String LONG = "long ".repeat(2_000);

  /** What an armed guard does, in its messages' format. */
  private static final String[] GUARD = {
    """
    CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM pg_logical_emit_message(true, 'reshard.row', json_build_object(
        'schema', TG_TABLE_SCHEMA, 'name', TG_TABLE_NAME,
        'key', json_build_object('id', NEW.id::text, 'customer', NEW.customer::text),
        'values', json_build_object('note', NEW.note::text))::text);
      RETURN NULL;
    END $$""",
    """
    CREATE TRIGGER tell AFTER UPDATE ON orders FOR EACH ROW
      WHEN (old.customer IS DISTINCT FROM new.customer) EXECUTE FUNCTION tell()"""
  };

  private static String insert(int id, int customer) {
    return "INSERT INTO orders VALUES (%d, %d, '%s')".formatted(id, customer, LONG);
  }

  @Test
  void aValueThatTheUpdateDidNotTouchIsUnchanged() throws SQLException {
    try (CaptureRig rig = CaptureRig.withOrders()) {
      rig.startCapture();
      rig.inTransaction(insert(1, 1), "UPDATE orders SET id = 2", "UPDATE orders SET note = ''");
      Transaction transaction = CaptureRig.next(rig.reader());
      assertTrue(RowChange.isUnchanged(transaction.changes().get(1).values()[2]));
      assertEquals("", transaction.changes().get(2).values()[2]);
    }
  }

  @Test
  void theOldRowOfIdentityFullTellsIt() throws SQLException {
    try (CaptureRig rig = CaptureRig.withOrders()) {
      rig.shard.execute("ALTER TABLE orders REPLICA IDENTITY FULL");
      rig.startCapture();
      rig.inTransaction(insert(1, 5), "UPDATE orders SET customer = 1");
      RowChange change = CaptureRig.next(rig.reader()).changes().get(0);
      assertEquals(5, change.oldBucket());
      assertEquals(1, change.newBucket());
      assertEquals(LONG, change.values()[2]);
    }
  }

  @Test
  void aRowThatComesIntoAMovingBucketIsWholeBecauseTheGuardToldItsValues() throws SQLException {
    try (CaptureRig rig = CaptureRig.withOrders()) {
      rig.shard.execute(GUARD);
      rig.startCapture();
      rig.inTransaction(
          insert(1, 5),
          insert(2, 6),
          insert(3, 2),
          "UPDATE orders SET customer = customer - 4 WHERE id < 3",
          "UPDATE orders SET customer = 3 WHERE id = 1",
          "DELETE FROM orders WHERE id = 3");
      List<RowChange> changes = CaptureRig.next(rig.reader()).changes();
      assertEquals(
          List.of("INSERT 3", "UPDATE 1", "UPDATE 2", "UPDATE 1", "DELETE 3"),
          changes.stream().map(c -> c.kind() + " " + c.key()[0]).toList());
      for (RowChange change : changes.subList(1, 4)) {
        assertEquals(LONG, change.values()[2]);
      }
      assertEquals(1, changes.get(3).oldBucket());
      assertEquals(3, changes.get(3).newBucket());
    }
  }

  @Test
  void aRowThatComesIntoAMovingBucketWithoutItsValuesStopsCaptureByName()
      throws SQLException, InterruptedException {
    try (CaptureRig rig = CaptureRig.withOrders()) {
      Capture capture = rig.startCapture();
      ChangeReader reader = rig.reader();
      rig.inTransaction(insert(1, 1));
      assertEquals(1, CaptureRig.next(reader).changes().size());
      rig.inTransaction(insert(2, 5), "UPDATE orders SET customer = 2 WHERE id = 2");
      assertEquals(CaptureException.Reason.VALUES_MISSING, CaptureRig.problem(capture));
      assertTrue(capture.status().reason().contains("note"), capture.status().reason());
    }
  }

  @Test
  void aRowThatComesIntoAMovingBucketWaitsForNoValueOfAnIgnoredColumn() throws SQLException {
    try (CaptureRig rig = CaptureRig.withOrdersIgnoring("note")) {
      rig.startCapture();
      ChangeReader reader = rig.reader();
      rig.inTransaction(insert(2, 5), "UPDATE orders SET customer = 2 WHERE id = 2");
      RowChange change = CaptureRig.next(reader).changes().get(0);
      assertEquals(5, change.oldBucket());
      assertEquals(2, change.newBucket());
      assertNull(change.values()[2]);
    }
  }
}

package dev.reshard.capture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.change.ChangeReader;
import dev.reshard.keyspace.DirectoryBuckets;
import dev.reshard.keyspace.SqlBuckets;
import java.sql.SQLException;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Changes of rows that the user's own function or table places. Buckets 0 to 3 move. */
@Timeout(180)
class OwnPlacementIT {
  private static final String ORDERS =
      "CREATE TABLE orders (id bigint, customer bigint, PRIMARY KEY (id, customer))";

  private static final String PLACE =
      "CREATE FUNCTION place(k bigint) RETURNS integer LANGUAGE sql IMMUTABLE AS $$ SELECT CASE WHEN k <> 13 THEN (k & 7)::int END $$";

  private static CaptureRig byFunction() throws SQLException {
    return CaptureRig.placedBy(SqlBuckets.of("public.place({key})", 8), ORDERS, PLACE);
  }

  private static List<String> next(ChangeReader reader) {
    return CaptureRig.next(reader).changes().stream()
        .map(c -> "%s %d>%d %s".formatted(c.kind(), c.oldBucket(), c.newBucket(), c.key()[0]))
        .toList();
  }

  @Test
  void whileTheFunctionCannotBeAskedCaptureWaitsAndLosesNothing()
      throws SQLException, InterruptedException {
    try (CaptureRig rig = byFunction()) {
      Capture capture = rig.startCapture();
      ChangeReader reader = rig.reader();
      rig.inTransaction("INSERT INTO orders VALUES (1, 1), (2, 5)");
      assertEquals(List.of("INSERT -1>1 1"), next(reader));
      rig.shard.execute("ALTER FUNCTION place RENAME TO gone");
      rig.inTransaction("INSERT INTO orders VALUES (3, 2)", "UPDATE orders SET customer = 6");
      CaptureRig.await(
          "capture says why",
          () ->
              capture.status().reason().contains("function public.place(unknown) does not exist"));
      assertTrue(capture.status().problem().isEmpty());
      rig.shard.execute("ALTER FUNCTION gone RENAME TO place");
      assertEquals(List.of("INSERT -1>2 3", "UPDATE 1>6 1", "UPDATE 2>6 3"), next(reader));
    }
  }

  @Test
  void aKeyThatTheFunctionPlacesNowhereStopsCaptureByName()
      throws SQLException, InterruptedException {
    try (CaptureRig rig = byFunction()) {
      Capture capture = rig.startCapture();
      rig.inTransaction("INSERT INTO orders VALUES (1, 13)");
      assertEquals(CaptureException.Reason.UNPLACEABLE_KEY, CaptureRig.problem(capture));
    }
  }

  @Test
  void aKeyThatTheDirectoryLacksIsOutsideAndComesInByAnUpdate() throws SQLException {
    DirectoryBuckets directory =
        DirectoryBuckets.of("shop", "select customer, shard from t")
            .withKeys(IntStream.range(0, 8).mapToObj(Integer::toString).toList());
    try (CaptureRig rig = CaptureRig.placedBy(directory, ORDERS)) {
      rig.startCapture();
      ChangeReader reader = rig.reader();
      rig.inTransaction(
          "INSERT INTO orders VALUES (1, 42), (2, 1)",
          "UPDATE orders SET customer = 43 WHERE id = 1",
          "UPDATE orders SET customer = 2 WHERE id = 1",
          "UPDATE orders SET customer = 44 WHERE id = 1");
      assertEquals(List.of("INSERT -1>1 2", "UPDATE -1>2 1", "UPDATE 2>-1 1"), next(reader));
    }
  }
}

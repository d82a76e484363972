package dev.reshard.capture;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reshard.change.ChangeReader;
import dev.reshard.change.RowChange;
import dev.reshard.change.Transaction;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(180)
class CaptureIT {
  /** A change in one line: kind, buckets, key, values. */
  static List<String> lines(Transaction transaction) {
    return transaction.changes().stream().map(CaptureIT::line).toList();
  }

  private static String line(RowChange change) {
    return "%s %s %d>%d %s %s"
        .formatted(
            change.kind(),
            change.table().id().name(),
            change.oldBucket(),
            change.newBucket(),
            Arrays.toString(change.key()),
            Arrays.toString(change.values()));
  }

  @Test
  void aTransactionArrivesWholeAndWithoutRowsOfBucketsThatStay() throws Exception {
    try (CaptureRig rig = CaptureRig.withOrders()) {
      rig.startCapture();
      ChangeReader reader = rig.reader();
      rig.inTransaction(
          "INSERT INTO orders VALUES (1, 1, 'moves'), (2, 5, 'stays'), (3, 2, NULL)",
          "UPDATE orders SET note = '' WHERE id = 1",
          "DELETE FROM orders WHERE id = 3",
          "INSERT INTO countries VALUES ('de', 'Germany')");
      assertEquals(
          List.of(
              "INSERT orders -1>1 [1, 1] [1, 1, moves]",
              "INSERT orders -1>2 [3, 2] [3, 2, null]",
              "UPDATE orders 1>1 [1, 1] [1, 1, ]",
              "DELETE orders 2>-1 [3, 2] null",
              "INSERT countries -1>-1 [de] [de, Germany]"),
          lines(CaptureRig.next(reader)));
    }
  }
}

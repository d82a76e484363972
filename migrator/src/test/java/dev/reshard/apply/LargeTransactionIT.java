package dev.reshard.apply;

import static dev.reshard.apply.HandMade.row;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.apply.HandMade.Source;
import dev.reshard.apply.LaneException.Problem;
import dev.reshard.change.RowChange;
import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Lsn;
import java.sql.Connection;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A source transaction that is larger than what a lane holds in memory (HAZARDS F32). */
@Timeout(120)
class LargeTransactionIT {
  private static final int ROWS = 300;
  private static final LaneLimits FEW = LaneLimits.DEFAULT.withBatchRows(70).withBatchBytes(1_000);
  private static final String DDL =
      "CREATE TABLE t (tenant_id bigint, id bigint, note text, PRIMARY KEY (tenant_id, id))";
  private static final Source T =
      Source.of("t", List.of("tenant_id", "id", "note"), List.of("tenant_id", "id"), "tenant_id");
  private static final String SUMMARY = "SELECT count(*) || ' ' || count(DISTINCT note) FROM t";

  private static LaneKit kit() throws Exception {
    return LaneKit.withSharded("t", DDL).limits(FEW);
  }

  /** Inserts of all rows, an update of each, and a delete of the first. */
  private static List<RowChange> changes() {
    List<RowChange> changes = new ArrayList<>();
    for (int i = 0; i < ROWS; i++) {
      changes.add(T.insert("1", Integer.toString(i), "new"));
    }
    for (int i = 0; i < ROWS; i++) {
      changes.add(T.update(row("1", Integer.toString(i), null), "1", Integer.toString(i), "n" + i));
    }
    changes.add(T.delete("1", "0", null));
    return changes;
  }

  @Test
  void isWrittenPieceByPieceAndCommittedAsOne() throws Exception {
    List<String> told = new ArrayList<>();
    ChangedKeys listener =
        new ChangedKeys() {
          @Override
          public void changed(TableId table, List<String> columns, List<String> key, Lsn end) {
            told.add(key.get(1));
          }

          @Override
          public void truncated(TableId table, Lsn end) {
            told.add("all");
          }
        };
    try (LaneKit kit = kit()) {
      kit.source.commit(T.insert("2", "1", "before"));
      kit.source.commit(List.of("large"), changes());
      kit.source.commit(List.of("x"), List.of(T.insert("2", "2", "after")));
      Lane lane = kit.lane(listener);
      lane.start();
      assertTrue(lane.awaitToken("x", LaneKit.PATIENCE), () -> lane.status().toString());
      assertEquals(List.of(ROWS + 1 + " " + (ROWS + 1)), kit.query(SUMMARY));
      assertEquals(
          List.of("2"), kit.query("SELECT count(DISTINCT xmin::text) FROM t WHERE tenant_id = 2"));
      assertEquals(
          List.of("1"), kit.query("SELECT count(DISTINCT xmin::text) FROM t WHERE tenant_id = 1"));
      assertEquals(2 * ROWS + 3, told.size());
      assertEquals(2 * ROWS + 3, lane.status().rows());
    }
  }

  @Test
  void thatIsRefusedAtItsEndLeavesNothingBehind() throws Exception {
    try (LaneKit kit = kit()) {
      List<RowChange> changes = changes();
      changes.add(T.delete("1", "no such row", null));
      kit.source.commit(T.insert("2", "1", "before"));
      kit.source.commit(List.of(), changes);
      LaneException stopped = kit.stops();
      assertTrue(
          List.of(Problem.ROW_NOT_FOUND, Problem.REFUSED).contains(stopped.problem()),
          stopped::toString);
      assertEquals(List.of("1 1"), kit.query(SUMMARY));
    }
  }

  @Test
  void withAChangeOfABucketThatHasLeftIsNotAppliedAndTheChangeIsKept() throws Exception {
    try (LaneKit kit = kit()) {
      try (Connection connection = kit.connect()) {
        LaneProgress.mute(connection, "m", LaneKit.A, BucketSet.of(3));
      }
      List<RowChange> changes = changes();
      changes.add(T.insert("3", "7", "past the guard"));
      kit.source.commit(List.of(), changes);
      assertEquals(Problem.MUTED_BUCKET, kit.stops().problem());
      assertEquals(List.of("0 0"), kit.query(SUMMARY));
      assertEquals(
          List.of("{3,7} 601"),
          kit.query("SELECT key::text || ' ' || place FROM reshard.rejected"));
    }
  }
}

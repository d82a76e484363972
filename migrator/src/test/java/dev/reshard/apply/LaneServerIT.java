package dev.reshard.apply;

import static dev.reshard.apply.LaneKit.A;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.reshard.apply.LaneException.Problem;
import dev.reshard.change.ChangeException;
import dev.reshard.keyspace.ShardId;
import dev.reshard.postgres.Anchor;
import dev.reshard.postgres.ServerIdentity;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** HAZARDS F18: a lane remembers whose positions its own are, whoever runs it. */
@Timeout(60)
class LaneServerIT {
  private static final ServerIdentity PROMOTED = new ServerIdentity(HandMade.SERVER.system(), 2);

  private static LaneKit kit() throws SQLException {
    return LaneKit.withSharded("t", "CREATE TABLE t (tenant_id int, id int PRIMARY KEY)");
  }

  private static LanePosition stored(Connection connection, ShardId source) throws SQLException {
    return LaneProgress.find(connection, "m", source).orElseThrow().position();
  }

  @Test
  void aNewLaneKnowsItsAnchorsServerAndItsIncarnation() throws Exception {
    ShardId c = new ShardId("c");
    Anchor anchor = new Anchor(c, "slot", PROMOTED, HandMade.START, "snapshot");
    try (LaneKit kit = kit();
        Connection connection = kit.connect()) {
      LaneProgress.create(connection, "m", c, LanePosition.startingAfter(anchor, 5));
      assertEquals(
          new LanePosition(5, HandMade.START, 0, Optional.of(PROMOTED)), stored(connection, c));
    }
  }

  @Test
  void whatIsAppliedSaysWhoseItIsToTheNextReader() throws Exception {
    try (LaneKit kit = kit();
        Connection connection = kit.connect()) {
      assertEquals(Optional.empty(), stored(connection, A).server());
      kit.applyAll();
      LanePosition applied = stored(connection, A);
      assertEquals(Optional.of(HandMade.SERVER), applied.server());

      AtomicReference<LanePosition> opened = new AtomicReference<>();
      ChangeSource.Factory refuses =
          position -> {
            opened.set(position);
            throw new ChangeException(ChangeException.Reason.OTHER_SERVER, "from another server");
          };
      try (Lane next = new Lane(kit.config(), LaneLimits.DEFAULT, kit.sessions, refuses)) {
        next.start();
        LaneException stopped =
            assertThrows(LaneException.class, () -> next.awaitToken("never", LaneKit.PATIENCE));
        assertEquals(Problem.OTHER_SERVER, stopped.problem());
      }
      assertEquals(applied, opened.get());
      assertEquals(applied, stored(connection, A));
    }
  }

  /** A copy that finds its rows wrong begins from nothing: that is no reason to. */
  @Test
  void aLaneThatHasNoMemoryLeftIsNotTakenForWrongRows() throws Exception {
    try (LaneKit kit = kit()) {
      ChangeSource.Factory breaks =
          position -> {
            throw new OutOfMemoryError("Java heap space");
          };
      try (Lane lane = new Lane(kit.config(), LaneLimits.DEFAULT, kit.sessions, breaks)) {
        lane.start();
        LaneException stopped =
            assertThrows(LaneException.class, () -> lane.awaitToken("never", LaneKit.PATIENCE));
        assertEquals(Problem.FAILED, stopped.problem());
      }
    }
  }

  @Test
  void aTableOfAnOlderVersionGetsTheColumnsFromTheFirstLane() throws Exception {
    try (LaneKit kit = kit();
        Connection connection = kit.connect()) {
      kit.shard.executeAsSuperuser(
          "ALTER TABLE reshard.lane DROP COLUMN system, DROP COLUMN timeline");
      kit.applyAll();
      assertEquals(Optional.of(HandMade.SERVER), stored(connection, A).server());
      LaneProgress.install(connection);
      assertEquals(
          List.of(HandMade.SERVER.system() + "/1"),
          kit.query("SELECT system || '/' || timeline FROM reshard.lane"));
    }
  }
}

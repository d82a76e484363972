package dev.reshard.migration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.control.MigrationState;
import dev.reshard.keyspace.TableId;
import dev.reshard.spec.Rate;
import dev.reshard.spec.Spec;
import dev.reshard.throttle.Limit;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** HAZARDS F3: a table without a key is whole within one snapshot, or begins again. */
@Timeout(120)
class SnapshotLimitIT {
  private static final List<Limit> TOO_SLOW = List.of(new Limit(Rate.parse("300 rows/s"), "test"));

  private RoundsScene scene;
  private final List<String> pauses = new ArrayList<>();

  @BeforeEach
  void open() throws Exception {
    scene =
        new RoundsScene(
            new Spec.Copy(
                OptionalInt.of(2),
                512 << 10,
                3,
                List.of(new TableId("public", "events")),
                Duration.ofMinutes(5),
                Duration.ofSeconds(2)));
  }

  @AfterEach
  void close() throws SQLException {
    scene.close();
  }

  @Test
  void aTableWithoutKeyThatDoesNotFitIntoOneSnapshotPausesTheMigrationAndFasterItEnds()
      throws Exception {
    assertEquals(MigrationState.COPYING, scene.round(() -> false, TOO_SLOW, pauses::add).next());
    assertEquals(1, pauses.size());
    assertTrue(
        pauses
            .get(0)
            .matches(
                "Table public.events on shard a cannot .* In 2 s \\(copy.snapshot\\) 0.\\d MB of 0.\\d MB"
                    + " were copied, 0.\\d\\d MB/s; at that pace it takes \\d+ s.*primary key.*REPLICA"
                    + " IDENTITY DEFAULT. Then 'reshard resume'"),
        pauses.get(0));
    while (scene.round(() -> false, List.of(), pauses::add).next() == MigrationState.COPYING) {
      assertEquals(1, pauses.size(), pauses::toString);
    }
    scene.requireEqual();
  }

  @Test
  @Tag("matrix")
  void givenAKeyWhilePausedItsCopyGoesOnInRounds() throws Exception {
    scene.round(() -> false, TOO_SLOW, pauses::add);
    assertEquals(1, pauses.size());
    scene.shards.execute(
        "ALTER TABLE events ADD id bigserial, ADD PRIMARY KEY (tenant, id)",
        "ALTER TABLE events REPLICA IDENTITY DEFAULT");
    assertEquals(MigrationState.COPYING, scene.round(4).next());
    scene.a().execute("DELETE FROM events WHERE id % 3 = 0", "UPDATE events SET what = 'new'");
    assertEquals(MigrationState.COPYING, scene.round(2).next());
    String anchors =
        "SELECT count(DISTINCT anchor)::text FROM reshard.copied_chunk WHERE table_name = 'events'";
    assertEquals(List.of("2"), scene.shards.get("b").query(anchors));
    while (scene.round(() -> false, List.of(), pauses::add).next() == MigrationState.COPYING) {
      assertEquals(1, pauses.size(), pauses::toString);
    }
    scene.requireEqual();
  }
}

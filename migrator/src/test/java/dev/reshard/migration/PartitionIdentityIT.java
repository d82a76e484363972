package dev.reshard.migration;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reshard.control.MigrationState;
import dev.reshard.spec.Spec;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * HAZARDS F1: what a change says of the old row is up to the partition, and the primary key of this
 * table lacks the shard key.
 */
@Timeout(120)
class PartitionIdentityIT {
  private RoundsScene scene;

  @BeforeEach
  void open() throws Exception {
    scene =
        new RoundsScene(
            new Spec.Copy(2),
            Map.of(
                "parted",
                """
                CREATE TABLE parted (tenant bigint NOT NULL, id bigint PRIMARY KEY, note text,
                  doc text DEFAULT repeat('long', 1000)) PARTITION BY RANGE (id);
                ALTER TABLE parted ALTER COLUMN doc SET STORAGE EXTERNAL;
                CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (1) TO (2000);
                CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (2000) TO (200000)
                  PARTITION BY RANGE (id);
                CREATE TABLE parted_3 PARTITION OF parted_2 DEFAULT"""));
  }

  @AfterEach
  void close() throws SQLException {
    scene.close();
  }

  @Test
  void changesOfItsRowsMeetThemWhateverTheyChange() throws Exception {
    assertEquals(
        List.of("parted f", "parted_1 f", "parted_3 f"),
        scene
            .a()
            .query(
                "SELECT relname || ' ' || relreplident::text FROM pg_class WHERE relname ~ '^parted(_[13])?$' ORDER BY 1"));
    assertEquals(MigrationState.COPYING, scene.round(5).next());
    change(0);
    assertEquals(MigrationState.CATCHING_UP, scene.round(Integer.MAX_VALUE).next());
    change(1);
    scene.requireEqual();
  }

  private void change(int time) throws SQLException {
    scene
        .a()
        .execute(
            "DELETE FROM parted WHERE id %% 10 = %d".formatted(time),
            "UPDATE parted SET note = 'new' WHERE id %% 10 = %d".formatted(2 + time),
            "UPDATE parted SET id = id + 100000 WHERE id %% 10 = %d".formatted(4 + time),
            "UPDATE parted SET tenant = coalesce((SELECT max(t.tenant) FROM parted t WHERE t.tenant < parted.tenant), tenant) WHERE id %% 10 = %d"
                .formatted(6 + time));
  }
}

package dev.reshard.preflight;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.sandbox.Sandbox;
import dev.reshard.sandbox.SandboxShard;
import java.sql.SQLException;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;

/** Servers as their packages set them up, and less. */
@Timeout(120)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SettingsIT {
  private Sandbox sandbox;
  private CheckScene scene;

  @BeforeAll
  void servers() throws SQLException {
    sandbox =
        Sandbox.start(
            Sandbox.Options.shards(2)
                .withoutKafka()
                .withPostgres("wal_level", "replica")
                .withPostgres("max_replication_slots", "1")
                .withPostgres("max_wal_senders", "1")
                .withPostgres("max_connections", "15")
                .withPostgres("wal_sender_timeout", "0")
                .withPostgres("max_slot_wal_keep_size", "1MB"));
    scene = CheckScene.shop(sandbox.shards());
  }

  @AfterAll
  void stop() {
    sandbox.close();
  }

  @Test
  void allSettingsThatNeedARestartAreOneListForBothSides() throws Exception {
    List<String> lines = lines("BLOCKER");
    assertEquals(1, lines.size(), lines::toString);
    assertTrue(
        lines
            .get(0)
            .startsWith(
                "BLOCKER  a, b: wal_level = replica, must be logical; max_replication_slots = 1 with 0 in use, must be at least 2; max_wal_senders = 1 with 0 in use, must be at least 2; max_connections = 15 with "),
        lines.get(0));
    assertTrue(
        lines.get(0).endsWith("; these need a restart: set them all, then restart it once"),
        lines.get(0));
  }

  @Test
  void settingsThatCouldEndAReplicationSlotAreNotes() throws Exception {
    String notes = String.join("\n", lines("note"));
    assertTrue(
        notes.contains("note  a, b: wal_sender_timeout = 0: the server does not notice"), notes);
    assertTrue(notes.contains(": max_slot_wal_keep_size keeps about 0 minutes of the WAL"), notes);
  }

  @Test
  void theFixesArePlainSqlForASuperuserAndMendThem() throws Exception {
    try (Sandbox bad =
        Sandbox.start(
            Sandbox.Options.shards(2)
                .withoutKafka()
                .withPostgres("wal_level", "replica")
                .withPostgres("max_wal_senders", "1"))) {
      CheckScene mended = CheckScene.shop(bad.shards());
      List<String> fixes = mended.check().fixes();
      for (SandboxShard shard : bad.shards().all()) {
        for (String fix : fixes) {
          if (fix.startsWith("ALTER SYSTEM")) {
            for (String statement : fix.lines().toList()) {
              shard.executeAsSuperuser(statement);
            }
          }
        }
        shard.server().restart();
      }
      mended.assertFindsNothing();
    }
  }

  private List<String> lines(String begin) throws Exception {
    return scene.check().lines().stream()
        .filter(line -> line.startsWith(begin))
        .collect(Collectors.toList());
  }
}

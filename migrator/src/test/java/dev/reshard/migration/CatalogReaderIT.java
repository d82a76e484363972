package dev.reshard.migration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.ShardAddress;
import dev.reshard.postgres.ShardSessions;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShard;
import dev.reshard.sandbox.SandboxShards;
import dev.reshard.sandbox.SharedSandbox;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A network that was cut since it was asked last. */
class CatalogReaderIT {
  private static final ShardId A = new ShardId("a");
  private static final TableId T = new TableId("public", "t");

  /** Else the first command after it would fail. */
  @Test
  void aSessionThatBrokeIsOpenedAgainAndAMistakeIsNot() throws SQLException {
    try (SandboxShards shards = SharedSandbox.shards(1);
        CatalogReader catalogs = new CatalogReader(sessions(shards.get("a")))) {
      SandboxShard shard = shards.get("a");
      shard.execute("CREATE TABLE t (id int)");
      assertTrue(catalogs.read(A, List.of(T)).containsKey(T));
      shard.executeAsSuperuser(
          "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name LIKE 'reshard %catalog%'");
      assertTrue(catalogs.read(A, List.of(T)).containsKey(T));
      SQLException mistake =
          assertThrows(
              SQLException.class,
              () -> catalogs.ask(A, session -> session.createStatement().execute("SELECT 1/0")));
      assertEquals("22012", mistake.getSQLState());
    }
  }

  private static ShardSessions sessions(SandboxShard shard) {
    return new ShardSessions(
        "shop",
        List.of(
            new ShardAddress(
                A, shard.url(), SandboxRole.RESHARD.user(), SandboxRole.RESHARD.password())));
  }
}

package dev.reshard.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.cli.Shop.Answer;
import dev.reshard.control.MigrationState;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShard;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** As {@link MigrationIT}, into an empty database, on other majors than the build's. */
@Tag("matrix")
@Timeout(300)
class OtherMajorsIT {
  private static final long SOME = 30;

  @TempDir private Path folder;

  @ParameterizedTest(name = "from PostgreSQL {0} to {1}")
  @CsvSource({"15,15", "18,18", "15,18"})
  void bucketsMoveComeBackAndMoveAgainWhileClientsWrite(int source, int destination)
      throws Exception {
    TreeMap<String, Integer> majors =
        new TreeMap<>(Map.of("a", source, "b", source, "c", destination));
    String name = "from-%d-to-%d".formatted(source, destination);
    try (Shop shop = Shop.open(folder, name, majors, 2, 3)) {
      SandboxShard c = shop.shards.get("c");
      c.execute("DROP TABLE order_items, orders, events, tenants, plans", "DROP TYPE order_status");
      assertEquals(
          List.of(Integer.toString(destination)),
          c.query("SELECT current_setting('server_version_num')::int / 10000"));
      shop.succeed("check");
      shop.succeed("plan");
      CompletableFuture<Answer> worker = shop.ask("run");
      shop.awaitState(MigrationState.READY_FOR_CUTOVER);
      shop.shards.execute("VACUUM FULL events"); // need not pause it
      shop.awaitTransactions(SOME);
      shop.succeed("verify");
      for (String step : List.of("cutover", "rollback", "cutover")) {
        shop.succeedOnceGatesOpen(step);
        shop.awaitTransactions(SOME);
      }
      shop.succeed("complete");
      assertEquals(ExitCode.DONE.code(), worker.get(60, TimeUnit.SECONDS).exitCode());
      assertEquals("CLEANED", shop.state());
      shop.requireClean();
    }
  }

  @Test
  void aTableWhoseWritesPostgres18WouldRefuseIsABlockerThere() throws Exception {
    TreeMap<String, Integer> majors = new TreeMap<>(Map.of("a", 18, "b", 18, "c", 18));
    try (Shop shop = Shop.open(folder, "generated", majors, 2, 3)) {
      shop.shards.execute(
          "CREATE TABLE visits (tenant_id bigint NOT NULL, n int, twice int GENERATED ALWAYS AS (n * 2) STORED)",
          "ALTER TABLE visits REPLICA IDENTITY FULL");
      Answer answer = shop.run("check");
      assertEquals(ExitCode.BLOCKED.code(), answer.exitCode());
      assertTrue(answer.text().contains("would refuse every UPDATE"), answer::text);
      SandboxShard a = shop.shards.get("a");
      a.execute("INSERT INTO visits VALUES (1, 1)");
      try (Connection superuser = a.connect(SandboxRole.SUPERUSER);
          Statement statement = superuser.createStatement()) {
        statement.execute("CREATE PUBLICATION p FOR TABLE visits");
      }
      SQLException refused =
          assertThrows(SQLException.class, () -> a.execute("UPDATE visits SET n = 2"));
      assertTrue(refused.getMessage().contains("generated"), refused::getMessage);
    }
  }
}

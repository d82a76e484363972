package dev.reshard.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reshard.cli.Shop.Answer;
import dev.reshard.control.MigrationState;
import dev.reshard.keyspace.HashBuckets;
import dev.reshard.keyspace.Partitioning;
import dev.reshard.keyspace.PostgresBuckets;
import dev.reshard.sandbox.SandboxShard;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A migration of rows that an application's own function placed, while it writes all the time. */
@Timeout(300)
class PlacementIT {
  private static final long SOME = 30;

  @TempDir private Path folder;

  static List<Arguments> functions() {
    return List.of(
        Arguments.of(
            "by-crc32",
            new HashBuckets(HashBuckets.Function.CRC32, 32),
            "function: crc32, count: 32"),
        Arguments.of(
            "by-murmur3",
            new HashBuckets(HashBuckets.Function.MURMUR3, 30),
            "function: murmur3, count: 30"),
        Arguments.of(
            "by-postgres",
            new PostgresBuckets(PostgresBuckets.Type.BIGINT, 30),
            "function: postgres, count: 30, type: bigint"));
  }

  @ParameterizedTest
  @MethodSource("functions")
  void bucketsMoveAndComeBackWhileClientsWrite(
      String migration, Partitioning buckets, String inFile) throws Exception {
    try (Shop shop = Shop.open(folder, migration, 2, 3, buckets, inFile)) {
      shop.succeed("check");
      assertEquals(0, functionsOn(shop), "made by check");
      CompletableFuture<Answer> worker = CompletableFuture.supplyAsync(() -> shop.run("run"));
      shop.awaitState(MigrationState.READY_FOR_CUTOVER);
      shop.succeed("verify");
      shop.succeedOnceGatesOpen("cutover");
      shop.awaitTransactions(SOME);
      shop.succeed("rollback");
      shop.awaitTransactions(SOME);
      shop.succeed("cutover");
      shop.awaitTransactions(SOME);
      shop.succeed("complete");
      assertEquals(ExitCode.DONE.code(), worker.get(30, TimeUnit.SECONDS).exitCode());
      shop.awaitTransactions(SOME);
      shop.requireClean();
    }
  }

  private static int functionsOn(Shop shop) throws SQLException {
    int functions = 0;
    for (SandboxShard shard : shop.shards.all()) {
      functions +=
          Integer.parseInt(
              shard.query("SELECT count(*) FROM pg_proc WHERE proname LIKE 'bucket\\_%'").get(0));
    }
    return functions;
  }
}

package dev.reshard.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.cli.Shop.Answer;
import dev.reshard.control.MigrationState;
import dev.reshard.finish.ShardLeftovers;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShard;
import dev.reshard.sandbox.SandboxShards;
import dev.reshard.sandbox.SharedSandbox;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * 300 tables by tenant mod 2 on a and b, as an application of some years has them; c is an empty
 * database. What is printed are the times; the budgets are those that users are promised.
 */
@Timeout(300)
class ManyTablesIT {
  private static final int TABLES = 300;
  private static final int SCREEN = 50;
  private static final Duration CHECKED_WITHIN = Duration.ofSeconds(20);
  private static final Duration PATIENCE = Duration.ofMinutes(3);
  private static final Duration APPLIED_WITHIN = Duration.ofSeconds(10);

  /** One row for each of the tenants of a, whether it leaves for c or not. */
  private static final String CHANGE =
      "INSERT INTO t%03d (id, tenant_id, body) SELECT 1000000 + t, t, 'new' FROM generate_series(1, 63, 2) t";

  @TempDir private Path folder;
  private SandboxShards shards;
  private Path file;

  @BeforeEach
  void tables() throws Exception {
    shards = SharedSandbox.shards(3);
    for (SandboxShard shard : List.of(shards.get("a"), shards.get("b"))) {
      String mine = shard.name().equals("a") ? "t % 2 = 1" : "t % 2 = 0";
      shard.execute(
          IntStream.range(0, TABLES)
              .mapToObj(
                  i ->
                      create(i)
                          + "; INSERT INTO t%03d (id, tenant_id, body) SELECT t, t, 'x' FROM generate_series(1, 64) t WHERE %s"
                              .formatted(i, mine))
              .toArray(String[]::new));
      shard.execute("ANALYZE");
    }
    file = folder.resolve("migration.yaml");
    writeFile();
  }

  /**
   * Most with a primary key that lacks the shard key, some with one that has it, a few with none.
   */
  private static String create(int i) {
    String key =
        switch (i % 10) {
          case 0 -> "";
          case 1, 2, 3 -> ", PRIMARY KEY (tenant_id, id)";
          default -> ", PRIMARY KEY (id)";
        };
    return "CREATE TABLE t%03d (id bigint NOT NULL, tenant_id bigint NOT NULL, body text%s)"
        .formatted(i, key);
  }

  private void writeFile() throws Exception {
    Files.writeString(
        file,
        """
        migration: many
        login: { user: %s, password: "%s" }
        shards: { %s }
        control: a
        kafka: { bootstrap.servers: "%s" }
        topics: { prefix: test-many, replication: 1 }
        keyspace:
          name: shop
          key: tenant_id
          buckets: { function: modulo, count: 64 }
          tables: { sharded: [ "public.*" ], accept_cross_shard_unique: [ "public.*" ] }
        from: { a: 1 mod 2, b: 0 mod 2 }
        to: { balance: [a, b, c] }
        budget: { pause: 250ms }
        """
            .formatted(
                SandboxRole.RESHARD.user(),
                SandboxRole.RESHARD.password(),
                shards.all().stream()
                    .map(shard -> "%s: \"%s\"".formatted(shard.name(), shard.url()))
                    .collect(Collectors.joining(", ")),
                SharedSandbox.kafka().bootstrapServers()));
  }

  @AfterEach
  void drop() throws SQLException {
    shards.close();
  }

  @Test
  void areCheckedMovedHandedOverAndBackWithinTheBudgets() throws Exception {
    long start = System.nanoTime();
    Answer check = reshard("check");
    took("check", start, CHECKED_WITHIN);
    assertEquals(ExitCode.DONE.code(), check.exitCode(), check::toString);
    assertTrue(check.text().lines().count() < SCREEN, check::toString);

    start = System.nanoTime();
    CompletableFuture<Answer> worker = CompletableFuture.supplyAsync(() -> reshard("run"));
    awaitState(MigrationState.COPYING);
    took("schema, row keys, guards", start, PATIENCE);
    awaitState(MigrationState.CATCHING_UP);
    took("copied", start, PATIENCE);
    start = System.nanoTime();
    awaitChangeApplied();
    took("first change applied", start, APPLIED_WITHIN);
    awaitState(MigrationState.READY_FOR_CUTOVER);
    assertTrue(reshard("status").text().lines().count() < SCREEN);
    succeed("verify");
    succeed("cutover", "many");
    succeed("rollback", "many");
    succeed("cutover", "many");
    succeed("complete", "many");
    assertEquals(ExitCode.DONE.code(), worker.get(60, TimeUnit.SECONDS).exitCode());
    for (SandboxShard shard : shards.all()) {
      try (Connection connection = shard.connect(SandboxRole.RESHARD)) {
        assertEquals(List.of(), ShardLeftovers.find(connection));
      }
    }
  }

  private static void took(String what, long startNanos, Duration limit) {
    Duration taken = Duration.ofNanos(System.nanoTime() - startNanos);
    System.out.printf("%s: %d ms%n", what, taken.toMillis());
    assertTrue(taken.compareTo(limit) <= 0, () -> what + " took " + taken);
  }

  /** Writes to the last table until a row that was not copied is at c. */
  private void awaitChangeApplied() throws Exception {
    String sql = CHANGE.formatted(TABLES - 1);
    String applied = "SELECT 1 FROM t%03d WHERE body = 'new' LIMIT 1".formatted(TABLES - 1);
    shards.get("a").execute(sql);
    while (shards.get("c").query(applied).isEmpty()) {
      TimeUnit.MILLISECONDS.sleep(20); // between two looks
    }
  }

  private void awaitState(MigrationState wanted) throws Exception {
    SandboxShard control = shards.get("a");
    String sql = "SELECT 1 FROM reshard.transition WHERE to_state = '%s'".formatted(wanted);
    while (control.query("SELECT to_regclass('reshard.transition')::text").contains(null)
        || control.query(sql).isEmpty()) {
      TimeUnit.MILLISECONDS.sleep(20); // between two looks
    }
  }

  /** Again while a gate is closed: dual reads need some hundred rows. */
  private void succeed(String... words) throws InterruptedException {
    Answer answer = reshard(words);
    while (answer.exitCode() == ExitCode.REFUSED.code() && answer.text().contains("gate closed")) {
      TimeUnit.MILLISECONDS.sleep(500); // the gates look at the last report
      answer = reshard(words);
    }
    assertEquals(ExitCode.DONE.code(), answer.exitCode(), answer::toString);
  }

  private Answer reshard(String... words) {
    String[] all = java.util.Arrays.copyOf(words, words.length + 2);
    all[words.length] = "-f";
    all[words.length + 1] = file.toString();
    return Shop.run(all);
  }
}

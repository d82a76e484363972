package dev.reshard.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.cli.Shop.Answer;
import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.HashBuckets;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.ShardMap;
import dev.reshard.routing.ShardMapStore;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShards;
import dev.reshard.sandbox.SharedSandbox;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What goes wrong before a migration has begun, and what the commands say of it. */
@Timeout(180)
class FirstStepsIT {
  private static final String ALL_ON_A = "from: { a: [0-31] }";

  @TempDir private Path folder;
  private SandboxShards shards;
  private Path file;

  @BeforeEach
  void twoShards() throws SQLException {
    shards = SharedSandbox.shards(2);
    shards.execute(
        "CREATE TABLE orders (id bigint, customer bigint NOT NULL, PRIMARY KEY (id, customer))");
    file = folder.resolve("first.yaml");
  }

  @AfterEach
  void drop() throws SQLException {
    shards.close();
  }

  @Test
  void everyCommandNamesShardAddressAndFileWhenAPasswordIsRefused() throws Exception {
    write("wrong", shards.get("a").url(), kafka(), ALL_ON_A);
    String expected =
        "a (127.0.0.1:%d): the password of user \"reshard\" is refused; see login in %s"
            .formatted(shards.get("a").server().port(), file);
    for (List<String> words :
        List.of(
            List.of("check"),
            List.of("plan"),
            List.of("run"),
            List.of("status"),
            List.of("route", "7"),
            List.of("pause"),
            List.of("cutover", "first"))) {
      Answer answer = reshard(words.toArray(String[]::new));
      assertEquals(ExitCode.USAGE.code(), answer.exitCode(), answer::toString);
      assertTrue(answer.text().contains(expected), answer::toString);
    }
  }

  @Test
  void anUnknownHostIsNamedWithItsShard() throws Exception {
    write(
        SandboxRole.RESHARD.password(),
        "jdbc:postgresql://no-such-host.invalid:5432/shop",
        kafka(),
        ALL_ON_A);
    String expected = "a (no-such-host.invalid:5432): cannot be reached: there is no such host; ";
    for (String command : List.of("plan", "run", "status")) {
      Answer answer = reshard(command);
      assertEquals(ExitCode.USAGE.code(), answer.exitCode(), answer::toString);
      assertTrue(answer.text().startsWith(expected), answer::toString);
    }
    Answer check = reshard("check");
    assertEquals(ExitCode.BLOCKED.code(), check.exitCode(), check::toString);
    assertTrue(check.text().contains("BLOCKER  " + expected), check::toString);
  }

  @Test
  void fromIsNotJudgedWhileTheStoredMapCannotBeRead() throws Exception {
    write("wrong", shards.get("a").url(), kafka(), "");
    Answer check = reshard("check");
    assertFalse(check.text().contains("from"), check::toString);
    assertTrue(
        check
            .text()
            .matches("(?s)\\d+ checks: 1 with blockers, 1 with notes, \\d+ could not be made.*"),
        check::toString);
    write(SandboxRole.RESHARD.password(), shards.get("a").url(), kafka(), "");
    Answer missing = reshard("check");
    assertEquals(ExitCode.USAGE.code(), missing.exitCode(), missing::toString);
    assertTrue(missing.text().contains("from is missing: no map"), missing::toString);
  }

  @Test
  void aNewMigrationIsNotBegunWhileACheckFindsABlocker() throws Exception {
    write(SandboxRole.RESHARD.password(), shards.get("a").url(), "127.0.0.1:1", ALL_ON_A);
    Answer run = reshard("run");
    assertEquals(ExitCode.BLOCKED.code(), run.exitCode(), run::toString);
    assertTrue(
        run.text().contains("BLOCKER  Kafka does not answer at 127.0.0.1:1: "), run::toString);
    assertTrue(run.text().strip().endsWith("nothing was begun"), run::toString);
    assertEquals(
        List.of(),
        shards.get("a").query("SELECT nspname FROM pg_namespace WHERE nspname = 'reshard'"));
  }

  @Test
  void aFileThatContradictsTheStoredMapIsRefused() throws Exception {
    try (Connection control = shards.get("a").connect(SandboxRole.RESHARD)) {
      ShardMapStore.adopt(
          control,
          "first",
          new HashBuckets(HashBuckets.Function.MODULO, 32),
          ShardMap.of(
              1,
              32,
              Map.of(
                  new ShardId("a"), BucketSet.range(0, 16),
                  new ShardId("b"), BucketSet.range(16, 32))));
    }
    write(SandboxRole.RESHARD.password(), shards.get("a").url(), kafka(), ALL_ON_A);
    for (String command : List.of("check", "plan", "run")) {
      Answer answer = reshard(command);
      assertEquals(ExitCode.USAGE.code(), answer.exitCode(), answer::toString);
      assertTrue(
          answer.text().contains("from: of buckets [16-31] the file says a, the map says b"),
          answer::toString);
    }
    for (String from : List.of("", "from: { a: [0-15], b: [16-31] }")) {
      write(SandboxRole.RESHARD.password(), shards.get("a").url(), kafka(), from);
      Answer plan = reshard("plan");
      assertEquals(ExitCode.DONE.code(), plan.exitCode(), plan::toString);
      assertTrue(plan.text().contains("nothing to move"), plan::toString);
    }
  }

  @Test
  void aPauseOfAnotherMigrationThanTheFilesIsRefused() throws Exception {
    write(SandboxRole.RESHARD.password(), shards.get("a").url(), kafka(), ALL_ON_A);
    for (String command : List.of("pause", "resume")) {
      Answer other = reshard(command, "second");
      assertEquals(ExitCode.USAGE.code(), other.exitCode(), other::toString);
      Answer own = reshard(command, "first");
      assertEquals(ExitCode.REFUSED.code(), own.exitCode(), own::toString);
      assertTrue(own.text().startsWith("there is no migration first yet"), own::toString);
    }
  }

  @Test
  void aKeyThatIsNoIntegerIsCalledSo() throws Exception {
    write(SandboxRole.RESHARD.password(), shards.get("a").url(), kafka(), ALL_ON_A);
    Answer route = reshard("route", "abc");
    assertEquals(ExitCode.USAGE.code(), route.exitCode(), route::toString);
    assertTrue(route.text().strip().endsWith("can place: it is not an integer"), route::toString);
  }

  private static String kafka() {
    return SharedSandbox.kafka().bootstrapServers();
  }

  private void write(String password, String urlOfA, String kafka, String from) throws IOException {
    Files.writeString(
        file,
        """
        migration: first
        login: { user: %s, password: "%s" }
        shards: { a: "%s", b: "%s" }
        control: a
        kafka: { bootstrap.servers: "%s" }
        topics: { replication: 1 }
        keyspace:
          name: first
          key: customer
          buckets: { function: modulo, count: 32 }
          tables: { sharded: [ "public.*" ] }
        %s
        to: { balance: [a, b] }
        """
            .formatted(
                SandboxRole.RESHARD.user(), password, urlOfA, shards.get("b").url(), kafka, from));
  }

  /** With what is said on standard error. */
  private Answer reshard(String... words) {
    String[] all = new String[words.length + 2];
    System.arraycopy(words, 0, all, 0, words.length);
    all[words.length] = "-f";
    all[words.length + 1] = file.toString();
    return Shop.runLoud(all);
  }
}

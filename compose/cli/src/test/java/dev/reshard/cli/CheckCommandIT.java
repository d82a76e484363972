package dev.reshard.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.reshard.cli.Shop.Answer;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShard;
import dev.reshard.sandbox.SandboxShards;
import dev.reshard.sandbox.SharedSandbox;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Two shards with 300 tables, of which 250 have a fault. */
@Timeout(180)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CheckCommandIT {
  private static final int TABLES = 300;
  private static final int SCREEN = 40;

  @TempDir private static Path folder;
  private SandboxShards shards;
  private Path file;

  @BeforeAll
  void manyTables() throws Exception {
    shards = SharedSandbox.shards(2);
    List<String> tables = new ArrayList<>();
    for (int i = 0; i < TABLES; i++) {
      tables.add(table("t%03d".formatted(i), i % 6));
    }
    tables.add("CREATE TABLE country (code text PRIMARY KEY)");
    shards.execute(String.join(";\n", tables));
    file = folder.resolve("migration.yaml");
    writeFile();
  }

  private static String table(String name, int fault) {
    String create =
        switch (fault) {
          case 0 -> "CREATE TABLE %s (id bigint, customer bigint, PRIMARY KEY (id, customer))";
          case 1 -> "CREATE TABLE %s (id bigint PRIMARY KEY, customer bigint)";
          case 2 -> "CREATE TABLE %s (id bigint PRIMARY KEY)";
          case 3 -> "CREATE TABLE %s (id bigint UNIQUE, customer bigint NOT NULL)";
          case 4 -> "CREATE UNLOGGED TABLE %s (id bigint, customer bigint NOT NULL)";
          default -> "CREATE TABLE %s (id bigint, customer text NOT NULL)";
        };
    return create.formatted(name);
  }

  private void writeFile() throws IOException {
    Files.writeString(
        file,
        """
        migration: many
        login: { user: %s, password: "%s" }
        shards: { %s }
        control: a
        kafka: { bootstrap.servers: "%s" }
        topics: { replication: 1 }
        keyspace:
          name: many
          key: customer
          buckets: { function: modulo, count: 32 }
          tables: { sharded: [ "public.*" ], reference: [ public.country ] }
        from: { a: [0-31] }
        to: { balance: [a, b] }
        """
            .formatted(
                SandboxRole.RESHARD.user(),
                SandboxRole.RESHARD.password(),
                shards.all().stream()
                    .map(shard -> "%s: \"%s\"".formatted(shard.name(), shard.url()))
                    .collect(Collectors.joining(", ")),
                SharedSandbox.kafka().bootstrapServers()));
  }

  @AfterAll
  void drop() throws SQLException {
    shards.close();
  }

  @Test
  void threeHundredTablesFitOnOneScreen() {
    Instant begin = Instant.now();
    Answer answer = Shop.run("check", "-f", file.toString());
    System.out.printf(
        "check of %d tables on 2 shards: %s%n", TABLES, Duration.between(begin, Instant.now()));
    assertEquals(ExitCode.BLOCKED.code(), answer.exitCode());
    assertTrue(answer.text().lines().count() <= SCREEN, answer::toString);
    assertTrue(
        answer
            .text()
            .contains("BLOCKER  a, b: public.t002, t008, t014 and 47 more: has no column customer"),
        answer::toString);
  }

  @Test
  void jsonHasEveryFindingAndTheSameExitCode() throws IOException {
    StringWriter json = new StringWriter();
    int exitCode = Main.run(new PrintWriter(json), "check", "--json", "-f", file.toString());
    assertEquals(ExitCode.BLOCKED.code(), exitCode);
    JsonNode findings = new ObjectMapper().readTree(json.toString());
    List<String> unkeyed = new ArrayList<>();
    for (JsonNode finding : findings) {
      for (String field : List.of("severity", "check", "shard", "table", "what", "todo")) {
        assertTrue(finding.has(field), finding::toString);
      }
      if (finding.get("what").asText().equals("has no column customer")) {
        assertEquals("blocker", finding.get("severity").asText());
        assertEquals("shard key", finding.get("check").asText());
        unkeyed.add(finding.get("shard").asText() + " " + finding.get("table").asText());
      }
    }
    assertEquals(TABLES / 6 * 2, unkeyed.size());
    assertTrue(unkeyed.contains("b public.t296"), unkeyed::toString);
  }

  @Test
  void jsonSqlAndLinesExcludeEachOther() {
    Answer answer = Shop.run("check", "--json", "--fixes", "-f", file.toString());
    assertEquals(ExitCode.USAGE.code(), answer.exitCode());
  }

  @Test
  void aCheckOpensFewSessionsHoweverManyTablesThereAre() throws Exception {
    long before = sessions();
    Shop.run("check", "-f", file.toString());
    long opened = sessions() - before;
    assertFalse(opened > 10, opened + " sessions on shard a");
  }

  /** How many there were ever; the server counts one when it ends, and a little later. */
  private long sessions() throws Exception {
    SandboxShard a = shards.get("a");
    String ended =
        "SELECT count(*) FROM pg_stat_activity WHERE usename = 'reshard' AND datname = '%s'"
            .formatted(a.database());
    while (!a.query(ended).equals(List.of("0"))) {
      Thread.sleep(10); // sessions end on the server after they are closed here
    }
    return Long.parseLong(
        a.query(
                "SELECT sessions FROM pg_stat_database WHERE datname = '%s'"
                    .formatted(a.database()))
            .get(0));
  }
}

package dev.reshard.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.reshard.cli.ExitCode;
import dev.reshard.cli.Main;
import dev.reshard.sandbox.SandboxPostgres;
import dev.reshard.sandbox.SandboxRole;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Tiny measurements on two servers that somebody else runs. */
@Timeout(180)
class BenchIT {
  private static final String LEFT =
      """
      SELECT 'database ' || datname FROM pg_database WHERE datname NOT IN ('postgres', 'template0', 'template1')
      UNION ALL SELECT 'role ' || rolname FROM pg_roles WHERE rolname !~ '^pg_' AND rolname <> 'postgres'
      UNION ALL SELECT 'replication slot ' || slot_name FROM pg_replication_slots""";

  private static SandboxPostgres source;
  private static SandboxPostgres destination;

  @BeforeAll
  static void startServers() {
    source = SandboxPostgres.start();
    destination = SandboxPostgres.start();
  }

  @AfterAll
  static void stopServers() {
    source.close();
    destination.close();
  }

  @Test
  void copySplitsTheTableAndLeavesNothingBehind() throws Exception {
    JsonNode result = measure("copy", "--rows", "3000", "--destinations", "2");
    assertEquals("copy", result.path("what").asText());
    assertEquals(3000, result.path("rows").asInt());
    assertTrue(result.path("seconds").asDouble() > 0, result::toString);
    assertTrue(result.path("rows_per_second").asDouble() > 0, result::toString);
    assertTrue(
        result.path("rows_alone_seconds").asDouble() < result.path("seconds").asDouble(),
        result::toString);
  }

  @Test
  void drainAppliesABacklogThatNoWorkerSaw() throws Exception {
    JsonNode result = measure("drain", "--rows", "3000", "--changes", "800");
    assertEquals(800, result.path("changes").asInt());
    assertTrue(result.path("rows_per_second").asDouble() > 0, result::toString);
  }

  @Test
  void verifyIsMeasuredBesideAPlainSum() throws Exception {
    JsonNode result = measure("verify", "--rows", "3000");
    assertTrue(result.path("seconds").asDouble() > 0, result::toString);
    assertTrue(result.path("hashtext_seconds").asDouble() > 0, result::toString);
  }

  @Test
  void latencyCountsEveryUpdateAfterTheWarmUp() throws Exception {
    JsonNode result = measure("latency", "--rows", "3000", "--tps", "40", "--seconds", "2");
    assertEquals(80, result.path("rows").asInt(), 4, result::toString);
    double p50 = result.path("p50_ms").asDouble();
    assertTrue(p50 > 0 && p50 <= result.path("p99_ms").asDouble(), result::toString);
  }

  @Test
  void aServerWithARoleOfOursIsRefusedAndNothingIsMade() throws Exception {
    try (Connection session = destination.superuserConnection("postgres");
        Statement statement = session.createStatement()) {
      statement.execute("CREATE ROLE app");
      try {
        StringWriter said = new StringWriter();
        assertEquals(ExitCode.REFUSED.code(), bench(said, "copy", "--rows", "3000"));
        assertTrue(said.toString().contains("these are there already: role app"), said::toString);
        assertEquals(List.of(), left(source));
        assertEquals(List.of("role app"), left(destination));
      } finally {
        statement.execute("DROP ROLE app");
      }
    }
  }

  private static JsonNode measure(String... words) throws Exception {
    StringWriter said = new StringWriter();
    assertEquals(ExitCode.DONE.code(), bench(said, words), said::toString);
    assertEquals(List.of(), left(source));
    assertEquals(List.of(), left(destination));
    List<String> lines = said.toString().lines().toList();
    return new ObjectMapper().readTree(lines.get(lines.size() - 1));
  }

  private static int bench(StringWriter said, String... words) {
    List<String> all = new ArrayList<>(List.of("bench"));
    all.addAll(List.of(words));
    all.addAll(List.of("--source", url(source), "--destination", url(destination)));
    PrintWriter out = new PrintWriter(said, true);
    return Main.commandLine(out)
        .addSubcommand(new BenchCommand())
        .setOut(out)
        .setErr(out)
        .execute(all.toArray(new String[0]));
  }

  private static String url(SandboxPostgres server) {
    return "%s?user=%s&password=%s"
        .formatted(
            server.url("postgres"), SandboxRole.SUPERUSER.user(), SandboxRole.SUPERUSER.password());
  }

  private static List<String> left(SandboxPostgres server) throws Exception {
    List<String> left = new ArrayList<>();
    try (Connection session = server.superuserConnection("postgres");
        Statement statement = session.createStatement();
        ResultSet row = statement.executeQuery(LEFT)) {
      while (row.next()) {
        left.add(row.getString(1));
      }
    }
    return left;
  }
}

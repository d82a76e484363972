package dev.reshard.postgres;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShard;
import dev.reshard.sandbox.SandboxShards;
import dev.reshard.sandbox.SharedSandbox;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class IgnoredColumnsIT {
  private static final ShardId A = new ShardId("a");

  private SandboxShards shards;
  private SandboxShard shard;

  @BeforeEach
  void oneShard() throws SQLException {
    shards = SharedSandbox.freshShards("a");
    shard = shards.get("a");
  }

  @AfterEach
  void drop() throws SQLException {
    shards.close();
  }

  @Test
  void tablesWhoseNamesWithADotAreAlikeDoNotShareTheirIgnoredColumns() throws SQLException {
    shard.createSchema("s");
    shard.createSchema("\"s.t\"");
    shard.execute(
        "CREATE TABLE s.\"t.u\" (id int, note text)", "CREATE TABLE \"s.t\".u (id int, note text)");
    TableId one = new TableId("s", "t.u");
    TableId other = new TableId("s.t", "u");
    assertEquals(List.of("id"), columns(Map.of(one, Set.of("note")), one));
    assertEquals(List.of("id", "note"), columns(Map.of(one, Set.of("note")), other));
    assertEquals(List.of("note"), columns(Map.of(one, Set.of("note"), other, Set.of("id")), other));
  }

  @Test
  void anyNameIsIgnoredAsItStandsInTheCatalog() throws SQLException {
    String odd = "Odd \\ \"'[]{}? name";
    TableId table = new TableId("public", odd);
    shard.execute(
        "CREATE TABLE %s (id int, %s text)".formatted(table.quoted(), TableId.quote(odd)));
    assertEquals(List.of("id", odd), columns(Map.of(), table));
    assertEquals(List.of("id"), columns(Map.of(table, Set.of(odd)), table));
  }

  @Test
  void ofAPartitionTheColumnsOfItsRootAreIgnored() throws SQLException {
    shard.execute(
        "CREATE TABLE days (day int, note text) PARTITION BY RANGE (day)",
        "CREATE TABLE part PARTITION OF days FOR VALUES FROM (0) TO (9) PARTITION BY RANGE (day)",
        "CREATE TABLE leaf PARTITION OF part FOR VALUES FROM (0) TO (5)");
    TableId root = new TableId("public", "days");
    Map<TableId, Set<String>> ignored = Map.of(root, Set.of("note"));
    for (String name : List.of("days", "part", "leaf")) {
      assertEquals(List.of("day"), columns(ignored, new TableId("public", name)), name);
    }
    long before = version(ignored, root);
    shard.execute("ALTER TABLE days ALTER COLUMN note TYPE varchar");
    assertEquals(before, version(ignored, root));
  }

  private long version(Map<TableId, Set<String>> ignored, TableId table) throws SQLException {
    return read(ignored, table).leaves().get(0).columnsVersion();
  }

  private List<String> columns(Map<TableId, Set<String>> ignored, TableId table)
      throws SQLException {
    return read(ignored, table).columns().stream().map(Column::name).toList();
  }

  private Table read(Map<TableId, Set<String>> ignored, TableId table) throws SQLException {
    ShardSessions sessions =
        new ShardSessions(
            "test",
            List.of(
                new ShardAddress(
                    A, shard.url(), SandboxRole.RESHARD.user(), SandboxRole.RESHARD.password())),
            ignored);
    try (Connection connection = sessions.open(A, "test")) {
      return Catalog.read(connection, table);
    }
  }
}

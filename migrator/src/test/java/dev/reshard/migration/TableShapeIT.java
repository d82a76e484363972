package dev.reshard.migration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.reshard.keyspace.TableId;
import dev.reshard.migration.TableShape.Change;
import dev.reshard.migration.TableShape.Kind;
import dev.reshard.postgres.Catalog;
import dev.reshard.postgres.Table;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShard;
import dev.reshard.sandbox.SandboxShards;
import dev.reshard.sandbox.SharedSandbox;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** HAZARDS F4-F6: which changes of a table no message tells. */
@Timeout(60)
class TableShapeIT {
  private static final TableId PLAIN = new TableId("public", "plain");
  private static final TableId PARTED = new TableId("public", "parted");

  private SandboxShards shards;
  private SandboxShard shard;

  @BeforeEach
  void tables() throws SQLException {
    shards = SharedSandbox.shards(1);
    shard = shards.get("a");
    shard.execute(
        """
        CREATE TABLE plain (id int PRIMARY KEY, note text, twice int GENERATED ALWAYS AS (id * 2) STORED)""",
        "CREATE TABLE parted (id int PRIMARY KEY, note text) PARTITION BY RANGE (id)",
        "CREATE TABLE part PARTITION OF parted FOR VALUES FROM (0) TO (10)",
        "INSERT INTO plain SELECT g, 'note' FROM generate_series(1, 9) g",
        "INSERT INTO parted SELECT g, 'note' FROM generate_series(1, 9) g");
  }

  @AfterEach
  void drop() throws SQLException {
    shards.close();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "VACUUM FULL plain",
        "CLUSTER plain USING plain_pkey",
        "TRUNCATE plain",
        "BEGIN; TRUNCATE plain; INSERT INTO plain VALUES (1, 'new'); COMMIT",
        "ALTER TABLE plain SET TABLESPACE pg_default",
        "GRANT SELECT (note) ON plain TO PUBLIC",
        "ALTER TABLE plain ALTER COLUMN note SET STATISTICS 50",
        "ALTER TABLE plain ALTER COLUMN note SET DEFAULT 'x'",
        "REINDEX TABLE plain",
        "ANALYZE plain"
      })
  void whatTheStreamTellsOfAPlainTableNeedsNobody(String sql) throws SQLException {
    assertEquals(List.of(), changed(PLAIN, sql));
  }

  @ParameterizedTest
  @ValueSource(strings = {"VACUUM FULL plain", "CLUSTER plain USING plain_pkey", "TRUNCATE plain"})
  void theFileOfAPlainTableIsAnotherOneThen(String sql) throws SQLException {
    long before = read(PLAIN).leaves().get(0).fileNode();
    shard.execute(sql);
    assertNotEquals(before, read(PLAIN).leaves().get(0).fileNode());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "ALTER TABLE plain ALTER COLUMN note TYPE text USING upper(note)",
        "ALTER TABLE plain ALTER COLUMN note TYPE text COLLATE \"C\" USING note || ''",
        "BEGIN; TRUNCATE plain; ALTER TABLE plain ALTER COLUMN note TYPE text USING upper(note); COMMIT",
        "BEGIN; ALTER TABLE plain ALTER COLUMN note TYPE text USING upper(note); TRUNCATE plain; COMMIT",
        "ALTER TABLE plain ALTER COLUMN note TYPE text USING upper(note); VACUUM FULL plain",
        "ALTER TABLE plain ALTER COLUMN twice SET EXPRESSION AS (id * 3)"
      })
  void anAlterThatMayGiveRowsOtherValuesIsARewrite(String sql) throws SQLException {
    assertEquals(List.of(Kind.REWRITTEN), changed(PLAIN, sql.split("; ")));
  }

  @Test
  void anotherTableOfTheSameNameIsNotTakenForIt() throws SQLException {
    assertEquals(
        List.of(Kind.REWRITTEN),
        changed(
            PLAIN,
            "CREATE TABLE other (LIKE plain INCLUDING ALL)",
            "ALTER TABLE plain RENAME TO gone",
            "ALTER TABLE other RENAME TO plain"));
  }

  @Test
  void aColumnWithADefaultOfEachRowIsAChangeOfColumns() throws SQLException {
    assertEquals(
        List.of(Kind.COLUMN_SET, Kind.REWRITTEN),
        changed(PLAIN, "ALTER TABLE plain ADD COLUMN r float8 DEFAULT random()").stream()
            .sorted()
            .toList());
  }

  /** After that its default is in each row, and the catalog says so: it cannot be told apart. */
  @Test
  void theFirstRewriteAfterAColumnWithADefaultWasAddedIsTakenForAnAlter() throws SQLException {
    shard.execute("ALTER TABLE plain ADD COLUMN x text DEFAULT 'x'");
    assertEquals(List.of(Kind.REWRITTEN), changed(PLAIN, "VACUUM FULL plain"));
    assertEquals(List.of(), changed(PLAIN, "VACUUM FULL plain"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"TRUNCATE part", "VACUUM FULL part", "TRUNCATE parted"})
  void aPartitionWithAnotherFileIsARewrite(String sql) throws SQLException {
    assertEquals(List.of(Kind.REWRITTEN), changed(PARTED, sql));
  }

  /** Its rows have other values then, and no message says so. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "ALTER TABLE plain DROP COLUMN note, ADD COLUMN note text DEFAULT 'other'",
        "BEGIN; ALTER TABLE plain RENAME note TO x; ALTER TABLE plain RENAME word TO note; ALTER TABLE plain RENAME x TO word; COMMIT"
      })
  void anotherColumnOfTheSameNameAndTypeIsSeen(String sql) throws SQLException {
    shard.execute("ALTER TABLE plain ADD COLUMN word text, DROP COLUMN twice");
    String before = read(PLAIN).fingerprint();
    assertEquals(List.of(Kind.REPLACED), changed(PLAIN, sql));
    assertNotEquals(before, read(PLAIN).fingerprint());
  }

  /** What was changed in it meanwhile came without a message. */
  @Test
  void aPartitionThatWasAwayForAMomentIsSeen() throws SQLException {
    String before = read(PARTED).fingerprint();
    assertEquals(
        List.of(Kind.ATTACHED_AGAIN),
        changed(
            PARTED,
            "BEGIN; ALTER TABLE parted DETACH PARTITION part; DELETE FROM part WHERE id = 1; ALTER TABLE parted ATTACH PARTITION part FOR VALUES FROM (0) TO (10); COMMIT"));
    assertNotEquals(before, read(PARTED).fingerprint());
  }

  @Test
  void anUnloggedPartitionIsNamedAndAPublishedTableCannotBeOne() throws SQLException {
    shard.executeAsSuperuser("CREATE PUBLICATION p FOR TABLE plain, parted");
    assertThrows(SQLException.class, () -> shard.execute("ALTER TABLE plain SET UNLOGGED"));
    assertEquals(
        List.of(Kind.REWRITTEN, Kind.UNLOGGED), changed(PARTED, "ALTER TABLE part SET UNLOGGED"));
    assertEquals(List.of(new TableId("public", "part")), TableShape.unlogged(read(PARTED)));
    // also where it was so before: the stream has nothing of what is written to it
    assertEquals(List.of(Kind.UNLOGGED), changed(PARTED));
    assertEquals(
        List.of(Kind.ATTACHED, Kind.UNLOGGED, Kind.UNLOGGED),
        changed(
            PARTED, "CREATE UNLOGGED TABLE more PARTITION OF parted FOR VALUES FROM (10) TO (20)"));
    assertEquals(
        List.of(Kind.REWRITTEN, Kind.UNLOGGED), changed(PARTED, "ALTER TABLE part SET LOGGED"));
  }

  /** Whoever reads the table finds their rows too, and so would a comparison. */
  @Test
  void aChildByInheritsAndAForeignPartitionAreNamed() throws SQLException {
    String before = read(PLAIN).fingerprint();
    assertEquals(List.of(Kind.STRANGER), changed(PLAIN, "CREATE TABLE child () INHERITS (plain)"));
    assertEquals(List.of(new TableId("public", "child")), read(PLAIN).strangers());
    assertNotEquals(before, read(PLAIN).fingerprint());
    assertEquals(List.of(Kind.STRANGER), changed(PLAIN)); // for as long as it is there
    assertEquals(List.of(), changed(PLAIN, "ALTER TABLE child NO INHERIT plain"));
    assertEquals(before, read(PLAIN).fingerprint());

    shard.executeAsSuperuser(
        "ALTER TABLE parted DROP CONSTRAINT parted_pkey",
        "CREATE FOREIGN DATA WRAPPER nothing",
        "CREATE SERVER far FOREIGN DATA WRAPPER nothing",
        "CREATE FOREIGN TABLE far PARTITION OF parted FOR VALUES FROM (10) TO (20) SERVER far");
    assertEquals(List.of(new TableId("public", "far")), read(PARTED).strangers());
    assertEquals(List.of(Kind.STRANGER), changed(PARTED));
  }

  /** A destination that somebody altered before it was first looked at. */
  @Test
  void aTableThatIsSeenFirstIsComparedWithAnothers() throws SQLException {
    shard.execute("CREATE TABLE altered (id int PRIMARY KEY, note varchar, grade int)");
    try (Connection connection = shard.connect(SandboxRole.RESHARD)) {
      Table here = Catalog.find(connection, PLAIN).orElseThrow();
      Table there = Catalog.find(connection, new TableId("public", "altered")).orElseThrow();
      assertEquals(TableShape.of(here), TableShape.asIn(here, here));
      assertEquals(
          List.of(Kind.COLUMN_SET, Kind.COLUMNS),
          TableShape.changes(TableShape.asIn(there, here), TableShape.of(here)).stream()
              .map(Change::kind)
              .toList());
    }
  }

  private List<Kind> changed(TableId table, String... sql) throws SQLException {
    var before = TableShape.of(read(table));
    shard.execute(sql);
    return TableShape.changes(before, TableShape.of(read(table))).stream()
        .map(Change::kind)
        .toList();
  }

  private Table read(TableId table) throws SQLException {
    try (Connection connection = shard.connect(SandboxRole.RESHARD)) {
      return Catalog.read(connection, table);
    }
  }
}

package dev.reshard.sandbox;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class RowComparerIT {
  private static final RowComparer BY_ID = RowComparer.byKey("id");

  private SandboxShards shards;
  private SandboxShard a;
  private SandboxShard b;

  @BeforeEach
  void create() throws SQLException {
    shards = SharedSandbox.shards(2);
    a = shards.get("a");
    b = shards.get("b");
    shards.execute(
        "CREATE TABLE t (id bigint, note text)",
        "INSERT INTO t SELECT n, 'note ' || n FROM generate_series(1, 5000) AS n");
  }

  @AfterEach
  void drop() throws SQLException {
    shards.drop();
  }

  @Test
  void equalTablesAreEqual() throws SQLException {
    RowComparison result = compare(BY_ID);
    result.requireEqual();
    assertEquals(5000, result.expectedRows());
    assertEquals(5000, result.actualRows());
  }

  @Test
  void aChangedRowIsFound() throws SQLException {
    b.execute("UPDATE t SET note = 'other' WHERE id = 77");
    assertEquals(List.of("changed (77): expected (77,\"note 77\"), got (77,other)"), found(BY_ID));
    assertThrows(AssertionError.class, () -> compare(BY_ID).requireEqual());
  }

  @Test
  void aMissingRowIsFound() throws SQLException {
    b.execute("DELETE FROM t WHERE id = 5000");
    assertEquals(List.of("missing (5000,\"note 5000\")"), found(BY_ID));
  }

  @Test
  void anExtraRowIsFound() throws SQLException {
    b.execute("INSERT INTO t VALUES (0, 'new')");
    assertEquals(List.of("extra (0,new)"), found(BY_ID));
  }

  @Test
  void aDuplicatedRowIsFound() throws SQLException {
    b.execute("INSERT INTO t SELECT * FROM t WHERE id = 9");
    assertEquals(List.of("extra (9,\"note 9\")"), found(BY_ID));
    assertEquals(List.of("extra (9,\"note 9\")"), found(RowComparer.withoutKey()));
  }

  @Test
  void withoutAKeyAChangedRowIsMissingAndExtra() throws SQLException {
    b.execute("UPDATE t SET note = 'other' WHERE id = 77");
    assertEquals(
        List.of("missing (77,\"note 77\")", "extra (77,other)"), found(RowComparer.withoutKey()));
  }

  @Test
  void nullAnEmptyTextAndTheWordNullAreThreeValues() throws SQLException {
    a.execute("INSERT INTO t VALUES (-1, NULL), (-2, NULL), (-3, '')");
    b.execute("INSERT INTO t VALUES (-1, ''), (-2, 'NULL'), (-3, 'NULL')");
    assertEquals(3, compare(BY_ID).differenceCount());
  }

  @Test
  void aNullKeyIsAKey() throws SQLException {
    shards.execute("INSERT INTO t VALUES (NULL, 'a')");
    compare(BY_ID).requireEqual();
    b.execute("DELETE FROM t WHERE id IS NULL");
    assertEquals(List.of("missing (,a)"), found(BY_ID));
  }

  @Test
  void rowsThatMovedToAnotherShardOfTheSameSideAreTheSameRows() throws SQLException {
    b.execute("DELETE FROM t WHERE id <= 2500");
    RowSelection whole = RowSelection.of(a, "t");
    RowSelection low = whole.where("id <= 2500");
    RowSelection high = RowSelection.of(b, "t");
    BY_ID.compare(List.of(whole), List.of(low, high)).requireEqual();
    RowComparison twice = BY_ID.compare(List.of(whole), List.of(whole, high));
    assertEquals(2500, twice.differenceCount());
    assertEquals(RowComparison.LISTED, twice.differences().size());
  }

  @Test
  void columnsAreComparedByNameNotByPosition() throws SQLException {
    b.execute(
        "DROP TABLE t",
        "CREATE TABLE t (note text, gone int, id bigint)",
        "ALTER TABLE t DROP COLUMN gone",
        "INSERT INTO t SELECT 'note ' || n, n FROM generate_series(1, 5000) AS n");
    compare(BY_ID).requireEqual();
  }

  @Test
  void tablesWithOtherColumnsAreRefused() throws SQLException {
    b.execute("ALTER TABLE t ADD COLUMN more int");
    IllegalArgumentException refused =
        assertThrows(IllegalArgumentException.class, () -> compare(BY_ID));
    assertTrue(refused.getMessage().contains("more"), refused.getMessage());
  }

  @Test
  void keysOfEveryScriptAreInTheOrderOfTheServer() throws SQLException {
    shards.execute(
        "CREATE TABLE words (word text)",
        """
        INSERT INTO words SELECT x || y
        FROM unnest(ARRAY['', 'a', 'B', 'é', 'ß', '字', '\uFF5E', '😀', '"', ' ', '\\', ',']) AS x,
          unnest(ARRAY['', 'z', 'É', '\uFFFD', '𝒳', '(']) AS y""");
    b.execute("DELETE FROM words WHERE word = '😀\uFFFD'");
    assertEquals(
        List.of("missing (😀\uFFFD)"),
        RowComparer.byKey("word")
            .compare(RowSelection.of(a, "words"), RowSelection.of(b, "words"))
            .differences()
            .stream()
            .map(RowDifference::toString)
            .toList());
  }

  @Test
  void sessionSettingsDoNotChangeTheTextOfAValue() throws SQLException {
    shards.execute(
        "CREATE TABLE odd (id int, f float8, t timestamptz, i interval, c char(4), x bytea)",
        """
        INSERT INTO odd VALUES (1, 0.1::float8 + 0.2, '2026-03-29 01:30:00+00',
          '1 day 2 hours', 'a', '\\xff00')""");
    b.executeAsSuperuser(
        "ALTER DATABASE %s SET DateStyle = 'German'".formatted(b.database()),
        "ALTER DATABASE %s SET IntervalStyle = 'iso_8601'".formatted(b.database()),
        "ALTER DATABASE %s SET extra_float_digits = 0".formatted(b.database()),
        "ALTER DATABASE %s SET bytea_output = 'escape'".formatted(b.database()));
    BY_ID.compare(RowSelection.of(a, "odd"), RowSelection.of(b, "odd")).requireEqual();
    b.execute("UPDATE odd SET f = 0.3");
    assertEquals(
        1, BY_ID.compare(RowSelection.of(a, "odd"), RowSelection.of(b, "odd")).differenceCount());
  }

  private RowComparison compare(RowComparer comparer) throws SQLException {
    return comparer.compare(RowSelection.of(a, "t"), RowSelection.of(b, "t"));
  }

  private List<String> found(RowComparer comparer) throws SQLException {
    return compare(comparer).differences().stream().map(RowDifference::toString).toList();
  }
}

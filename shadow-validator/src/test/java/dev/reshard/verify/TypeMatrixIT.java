package dev.reshard.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.postgres.CopyFormat;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShard;
import dev.reshard.sandbox.SandboxShards;
import dev.reshard.sandbox.SharedSandbox;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every type of PostgreSQL, and of users, through schema, copy, replication and verification. */
@Timeout(240)
class TypeMatrixIT {
  private static final String THIRTY_MEGABYTES =
      "(SELECT string_agg(md5(g::text), '') FROM generate_series(1, 983040) g)";

  /** Tenants in buckets that move. */
  private static final int COPIED = 1;

  private static final int REPLICATED = 2;
  private static final int PLANTED = 3;

  /** And one that stays. */
  private static final int STAYS = 6;

  private static final int KEY_STEP = 1000;

  /** As many differences as a comparison names, at most. */
  private static final int AT_ONCE = TableResult.LISTED;

  @Test
  void everyTypeArrivesAndIsVerified() throws Exception {
    go(SharedSandbox.freshShards("a", "b"));
  }

  @Tag("matrix")
  @ParameterizedTest(name = "from PostgreSQL {0} to {1}")
  @CsvSource({"15,15", "18,18", "15,18", "18,15"})
  void everyTypeArrivesAndIsVerified(int source, int destination) throws Exception {
    go(SharedSandbox.shardsOfMajors(new TreeMap<>(Map.of("a", source, "b", destination))));
  }

  private static void go(SandboxShards shards) throws Exception {
    SandboxShard a = shards.get("a");
    SandboxShard b = shards.get("b");
    TypeMatrix values = TypeMatrix.values(Math.min(major(a), major(b)));
    List<TypeMatrix> all = List.of(values, TypeMatrix.references());
    try (MoveScene scene = new MoveScene(shards, all.stream().map(TypeMatrix::id).toList())) {
      a.executeAsSuperuser(TypeMatrix.EXTENSIONS);
      // other numbers for the same types at the destination
      b.execute("CREATE TYPE spare AS (x int)", "CREATE TYPE spare2 AS ENUM ('x')");
      b.executeAsSuperuser(reversed(TypeMatrix.EXTENSIONS));
      a.execute(TypeMatrix.TYPES);
      for (TypeMatrix matrix : all) {
        a.execute(matrix.ddl());
        insert(a, matrix, COPIED);
        insert(a, matrix, STAYS);
        plantable(a, matrix);
      }
      assertEquals(List.of(), lackingTypes(a), "built-in types that no matrix has");
      a.execute(
          "UPDATE %s SET big = %s WHERE tenant = %d AND id = 0"
              .formatted(values.table(), THIRTY_MEGABYTES, COPIED));
      scene.copySchema();
      assertEquals(List.of(CopyFormat.BINARY, CopyFormat.TEXT), scene.copyAndReplicate());
      assertSame(a, b, all);

      for (TypeMatrix matrix : all) {
        insert(a, matrix, REPLICATED);
      }
      a.execute(
          "UPDATE %s SET big = %s WHERE tenant = %d AND id = 0"
              .formatted(values.table(), THIRTY_MEGABYTES, REPLICATED));
      scene.catchUp();
      assertSame(a, b, all);
      for (TypeMatrix matrix : all) {
        a.execute(
            "UPDATE %s SET note = 'other' WHERE tenant IN (%d, %d)"
                .formatted(matrix.table(), COPIED, REPLICATED));
      }
      scene.catchUp();
      assertSame(a, b, all);
      for (TypeMatrix matrix : all) {
        for (int tenant : List.of(COPIED, REPLICATED)) {
          changeEverything(a, matrix, tenant);
        }
      }
      scene.catchUp();
      assertSame(a, b, all);

      for (TableResult equal : scene.verify()) {
        assertTrue(equal.isEqual(), equal + " " + equal.differences());
        assertTrue(equal.sourceRows() > 10, equal.toString());
      }
      for (TypeMatrix matrix : all) {
        findsEachPlantedDifference(scene, matrix, all.indexOf(matrix));
      }
    }
  }

  /** Every column of every row to another value, then keys, then some rows go. */
  private static void changeEverything(SandboxShard shard, TypeMatrix matrix, int tenant)
      throws SQLException {
    for (int row = 0; row < matrix.rows(); row++) {
      shard.execute(matrix.update(tenant, row, row + 1));
    }
    shard.execute(
        "UPDATE %s SET id = id + %d WHERE tenant = %d AND id %% 3 = 0"
            .formatted(matrix.table(), KEY_STEP, tenant),
        "DELETE FROM %s WHERE tenant = %d AND id %% 3 = 1".formatted(matrix.table(), tenant));
  }

  private static void insert(SandboxShard shard, TypeMatrix matrix, int tenant)
      throws SQLException {
    List<String> inserts = new ArrayList<>();
    for (int row = 0; row < matrix.rows(); row++) {
      inserts.add(matrix.insert(tenant, row));
    }
    shard.execute(inserts.toArray(String[]::new));
  }

  /** Rows like the first one: two for each type, one for its array too. */
  private static void plantable(SandboxShard shard, TypeMatrix matrix) throws SQLException {
    String names =
        shard
            .query(
                "SELECT string_agg(format('%%I', attname), ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = '%s'::regclass AND attnum > 2 AND NOT attisdropped"
                    .formatted(matrix.table()))
            .get(0);
    shard.execute(
        matrix.insert(PLANTED, 0),
        "INSERT INTO %1$s SELECT tenant, g, %2$s FROM %1$s, generate_series(1, %3$d) g WHERE tenant = %4$d"
            .formatted(matrix.table(), names, 2 * matrix.columns().size() - 1, PLANTED));
  }

  private static void findsEachPlantedDifference(MoveScene scene, TypeMatrix matrix, int place)
      throws Exception {
    SandboxShard b = scene.shards.get("b");
    List<String> changes = new ArrayList<>();
    for (TypeMatrix.Column column : matrix.columns()) {
      changes.add(column.name() + " = " + column.value(1));
      changes.add(column.arrayName() + " = " + column.array(1));
    }
    for (int from = 0; from < changes.size(); from += AT_ONCE) {
      int to = Math.min(changes.size(), from + AT_ONCE);
      for (int row = from; row < to; row++) {
        b.execute(
            "UPDATE %s SET %s WHERE tenant = %d AND id = %d"
                .formatted(matrix.table(), changes.get(row), PLANTED, row));
      }
      TableResult found = scene.verify().get(place);
      List<String> unseen = new ArrayList<>(changes.subList(from, to));
      for (RowDifference difference : found.differences()) {
        unseen.remove(changes.get(Integer.parseInt(difference.key().get(1))));
      }
      assertEquals(List.of(), unseen, "changes that verification did not see");
      assertEquals(to - from, found.changed(), found.toString());
      assertEquals(0, found.missing() + found.extra(), found.toString());
      scene
          .shards
          .get("a")
          .execute(
              "DELETE FROM %s WHERE tenant = %d AND id < %d"
                  .formatted(matrix.table(), PLANTED, to));
      scene.catchUp();
    }
  }

  private static void assertSame(SandboxShard a, SandboxShard b, List<TypeMatrix> all)
      throws SQLException {
    for (TypeMatrix matrix : all) {
      assertSame(a, b, matrix);
    }
  }

  /** Column by column as text, so that a failure names the type. */
  private static void assertSame(SandboxShard a, SandboxShard b, TypeMatrix matrix)
      throws SQLException {
    Map<String, List<String>> expected = rows(a, matrix);
    Map<String, List<String>> actual = rows(b, matrix);
    assertEquals(expected.keySet(), actual.keySet());
    List<String> columns = columns(a, matrix);
    List<String> differing = new ArrayList<>();
    expected.forEach(
        (key, values) -> {
          for (int i = 0; i < columns.size(); i++) {
            if (!values.get(i).equals(actual.get(key).get(i))) {
              differing.add(
                  "%s of %s: %s, not %s"
                      .formatted(columns.get(i), key, actual.get(key).get(i), values.get(i)));
            }
          }
        });
    assertEquals(List.of(), differing);
  }

  private static Map<String, List<String>> rows(SandboxShard shard, TypeMatrix matrix)
      throws SQLException {
    String list =
        columns(shard, matrix).stream()
            .map(
                c ->
                    "coalesce(CASE WHEN length(%1$s::text) > 99 THEN md5(%1$s::text) ELSE %1$s::text END, '(null)')"
                        .formatted(c))
            .collect(Collectors.joining(", "));
    Map<String, List<String>> rows = new TreeMap<>();
    try (Connection connection = shard.connect(SandboxRole.SUPERUSER);
        Statement statement = connection.createStatement()) {
      statement.execute(
          """
          SET search_path = pg_catalog, public; SET TimeZone = 'UTC'; SET lc_monetary = 'C';
          SET extra_float_digits = 1""");
      try (ResultSet row =
          statement.executeQuery(
              "SELECT tenant || ' ' || id, %s FROM %s WHERE tenant <> %d"
                  .formatted(list, matrix.table(), STAYS))) {
        while (row.next()) {
          List<String> values = new ArrayList<>();
          for (int i = 2; i <= row.getMetaData().getColumnCount(); i++) {
            values.add(row.getString(i));
          }
          rows.put(row.getString(1), values);
        }
      }
    }
    return rows;
  }

  private static List<String> columns(SandboxShard shard, TypeMatrix matrix) throws SQLException {
    return shard.query(
        "SELECT format('%%I', attname) FROM pg_attribute WHERE attrelid = '%s'::regclass AND attnum > 0 ORDER BY attname COLLATE \"C\""
            .formatted(matrix.table()));
  }

  private static List<String> lackingTypes(SandboxShard shard) throws SQLException {
    return shard.query(
        """
        SELECT typname FROM pg_type t
         WHERE typnamespace = 'pg_catalog'::regnamespace AND typtype IN ('b', 'r', 'm')
           AND (typcategory NOT IN ('A', 'Z') OR typname = 'char') AND typname <> ALL ('{%s}')
           AND NOT EXISTS (SELECT FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
                            WHERE a.atttypid = t.oid AND c.relnamespace = 'public'::regnamespace)"""
            .formatted(String.join(",", TypeMatrix.NOT_FOR_TABLES)));
  }

  private static int major(SandboxShard shard) throws SQLException {
    return Integer.parseInt(
        shard.query("SELECT current_setting('server_version_num')::int / 10000").get(0));
  }

  private static String[] reversed(String[] statements) {
    List<String> list = new ArrayList<>(List.of(statements));
    Collections.reverse(list);
    return list.toArray(String[]::new);
  }
}

package dev.reshard.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.keyspace.TableId;
import dev.reshard.sandbox.RowComparer;
import dev.reshard.sandbox.RowSelection;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShard;
import dev.reshard.sandbox.SandboxShards;
import dev.reshard.sandbox.SharedSandbox;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Keys, identities, partitions and columns of every kind, with values stored out of line, through
 * copy, replication and verification. Tenants 0-5 of 8 move, 6 stays, 7 is b's own.
 */
@Timeout(180)
class KindsOfTablesIT {
  private static final String LONG =
      "(SELECT string_agg(md5(g::text || %s), '') FROM generate_series(1, 300) g)";

  /**
   * A table, which has a column {@code tenant}.
   *
   * @param ddl its statements at the source
   * @param there what the destination has instead of its copy; null: the same
   * @param rows before the copy
   * @param changes each a transaction, after it
   */
  private record Kind(
      String table,
      List<String> ddl,
      List<String> there,
      List<String> rows,
      List<List<String>> changes) {
    Kind(String table, List<String> ddl, List<String> rows, List<List<String>> changes) {
      this(table, ddl, null, rows, changes);
    }
  }

  private static List<String> of(String... statements) {
    return List.of(statements);
  }

  private static List<List<String>> each(String... statements) {
    return Stream.of(statements).map(List::of).toList();
  }

  private static final List<Kind> KINDS =
      List.of(
          toast("toast_default", "PRIMARY KEY (tenant, id)"),
          toast("toast_full", "PRIMARY KEY (id)", "ALTER TABLE toast_full REPLICA IDENTITY FULL"),
          toast(
              "toast_index",
              "PRIMARY KEY (id)",
              "CREATE UNIQUE INDEX toast_index_key ON toast_index (code, tenant)",
              "ALTER TABLE toast_index REPLICA IDENTITY USING INDEX toast_index_key"),
          toast("toast_ours", "PRIMARY KEY (id)"),
          new Kind(
              "\"Te\"\"xt key\"",
              of(
                  "CREATE TABLE \"Te\"\"xt key\" (tenant bigint, \"Key é\" text COLLATE \"en-x-icu\", \"select\" text, PRIMARY KEY (\"Key é\", tenant))"),
              of(
                  "INSERT INTO \"Te\"\"xt key\" SELECT g % 7, k || g, k FROM unnest('{a,A,ä,ß,ss,-,\"\",\"x y\",😀}'::text[]) k, generate_series(0, 30) g"),
              each(
                  "UPDATE \"Te\"\"xt key\" SET \"Key é\" = upper(\"Key é\") || 'q' WHERE \"select\" IN ('a', 'ß')",
                  "UPDATE \"Te\"\"xt key\" SET \"select\" = 'b' WHERE \"Key é\" LIKE 'A%'",
                  "DELETE FROM \"Te\"\"xt key\" WHERE \"Key é\" LIKE 'ä%'",
                  "UPDATE \"Te\"\"xt key\" SET tenant = tenant + 1 WHERE tenant < 6 AND \"select\" = '-'")),
          new Kind(
              "clock",
              of(
                  "CREATE TABLE clock (tenant bigint, at timestamptz, u uuid, n numeric, v text, PRIMARY KEY (tenant, at, u, n))"),
              of(
                  "INSERT INTO clock SELECT g % 7, '2024-01-01 00:00:00.000001+05:30'::timestamptz + g * '1 us'::interval, md5(g::text)::uuid, g / 10.0, 'v' FROM generate_series(1, 200) g",
                  "INSERT INTO clock VALUES (1, 'infinity', md5('')::uuid, 'NaN', 'x'), (2, '0044-03-15 BC', md5('')::uuid, 1.00, 'x')"),
              each(
                  "UPDATE clock SET v = 'w' WHERE n < 3 OR n = 'NaN'",
                  "UPDATE clock SET at = at + interval '1 us', n = n * 1.000 WHERE n < 10",
                  "DELETE FROM clock WHERE at < '2024-01-01 00:00:00+05:30' OR n > 18")),
          new Kind(
              "keyless",
              of("CREATE TABLE keyless (tenant bigint NOT NULL, j json, v text, f float8)"),
              of(
                  "INSERT INTO keyless SELECT g % 7, '{\"a\" : 1}', CASE WHEN g % 2 = 0 THEN 'twin' END, 'NaN' FROM generate_series(0, 41) g, generate_series(1, 3)",
                  "INSERT INTO keyless SELECT 1, NULL, " + LONG.formatted("'x'") + ", 0.1"),
              each(
                  "UPDATE keyless SET f = 1e-300 WHERE tenant = 2",
                  "DELETE FROM keyless WHERE ctid = (SELECT min(ctid) FROM keyless WHERE tenant = 3 AND v = 'twin')",
                  "UPDATE keyless SET j = NULL WHERE tenant = 1 AND f = 0.1",
                  "UPDATE keyless SET tenant = 4 WHERE tenant = 6",
                  "INSERT INTO keyless SELECT 5, '[]', 'new', 0 FROM generate_series(1, 3)")),
          new Kind(
              "parts",
              of(
                  "CREATE TABLE parts (tenant bigint, day date, v text, big text, PRIMARY KEY (tenant, day)) PARTITION BY RANGE (day)",
                  "CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (MINVALUE) TO ('2024-02-01')",
                  "CREATE TABLE parts_2 (big text, day date NOT NULL, gone int, v text, tenant bigint NOT NULL)",
                  "ALTER TABLE parts_2 DROP COLUMN gone",
                  "ALTER TABLE parts ATTACH PARTITION parts_2 FOR VALUES FROM ('2024-02-01') TO (MAXVALUE)"),
              of(
                  "CREATE TABLE parts (v text, tenant bigint, big text, day date, PRIMARY KEY (tenant, day)) PARTITION BY HASH (tenant)",
                  "CREATE TABLE parts_0 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 0)",
                  "CREATE TABLE parts_1 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 1)"),
              of(
                  "INSERT INTO parts SELECT g % 7, date '2024-01-01' + g, 'v', "
                      + LONG.formatted("g")
                      + " FROM generate_series(0, 60) g"),
              each(
                  "UPDATE parts SET v = 'w'",
                  "UPDATE parts SET day = day + 100 WHERE tenant = 1", // to another partition
                  "UPDATE parts SET tenant = 3, day = day + 1000 WHERE tenant = 2",
                  "DELETE FROM parts WHERE tenant = 4")),
          new Kind(
              "\"Odd.table\"",
              of(
                  """
                  CREATE TABLE "Odd.table" (gone int, tenant bigint, "Id" int GENERATED ALWAYS AS IDENTITY,
                    by_default int GENERATED BY DEFAULT AS IDENTITY, price numeric(8,2), "a,b" text[],
                    double numeric GENERATED ALWAYS AS (price * 2) STORED, PRIMARY KEY (tenant, "Id"))""",
                  "ALTER TABLE \"Odd.table\" DROP COLUMN gone"),
              of(
                  "INSERT INTO \"Odd.table\" (tenant, price, \"a,b\") SELECT g % 7, g / 3.0, ARRAY['x', NULL] FROM generate_series(1, 50) g"),
              each(
                  "UPDATE \"Odd.table\" SET price = -price, by_default = by_default + 1000",
                  "UPDATE \"Odd.table\" SET tenant = 0 WHERE tenant = 1",
                  "INSERT INTO \"Odd.table\" (tenant, price) VALUES (2, 1.5)")),
          new Kind(
              "truncated",
              of("CREATE TABLE truncated (tenant bigint PRIMARY KEY, v text)"),
              of(
                  "INSERT INTO truncated SELECT g, 'v' FROM generate_series(0, 99) g WHERE g % 8 < 7"),
              List.of(
                  of(
                      "INSERT INTO truncated VALUES (200, 'before')",
                      "TRUNCATE truncated",
                      "INSERT INTO truncated VALUES (1, 'after'), (201, 'after')",
                      "UPDATE truncated SET v = 'twice' WHERE tenant = 1"))),
          new Kind(
              "swaps",
              of(
                  "CREATE TABLE swaps (tenant bigint, id int, place int, spot int, PRIMARY KEY (tenant, id), UNIQUE (tenant, place), UNIQUE (tenant, spot) DEFERRABLE)"),
              of("INSERT INTO swaps SELECT g % 7, g, g, g FROM generate_series(1, 70) g"),
              List.of(
                  of(
                      "UPDATE swaps SET place = -1 WHERE tenant = 1 AND id = 1",
                      "UPDATE swaps SET place = 1 WHERE tenant = 1 AND id = 8",
                      "UPDATE swaps SET place = 8 WHERE tenant = 1 AND id = 1"),
                  of("UPDATE swaps SET spot = CASE id WHEN 2 THEN 9 ELSE 2 END WHERE id IN (2, 9)"),
                  of(
                      "DELETE FROM swaps WHERE id = 3",
                      "UPDATE swaps SET id = 3 WHERE id = 10",
                      "INSERT INTO swaps VALUES (3, 10, 3, 3)"))));

  /** Two values out of line, and every change that leaves one of them out. */
  private static Kind toast(String table, String key, String... more) {
    List<String> ddl =
        Stream.concat(
                Stream.of(
                    "CREATE TABLE %1$s (tenant bigint NOT NULL, id int NOT NULL, code text NOT NULL, v int, big text, raw bytea, %2$s)"
                        .formatted(table, key),
                    "ALTER TABLE %s ALTER big SET STORAGE EXTERNAL".formatted(table)),
                Stream.of(more))
            .toList();
    String big = LONG.formatted("n");
    List<String> changes =
        List.of(
            "UPDATE T SET v = v + 1",
            "UPDATE T SET big = NULL WHERE id % 10 = 1",
            "UPDATE T SET raw = '\\x00' WHERE id % 10 = 2",
            "UPDATE T SET id = id + 1000, code = code || 'k' WHERE id % 10 = 3",
            "UPDATE T SET tenant = (tenant + 1) % 6 WHERE tenant < 6 AND id % 10 = 4", // within
            "UPDATE T SET tenant = 6 WHERE tenant < 6 AND id % 10 = 5", // leaves
            "UPDATE T SET tenant = 2 WHERE tenant = 6 AND id % 10 = 6", // comes
            "UPDATE T SET tenant = 3, id = id + 2000, code = code || 'c', v = 0 WHERE tenant = 6 AND id % 10 = 7",
            "DELETE FROM T WHERE id % 10 = 8");
    List<List<String>> transactions = new ArrayList<>();
    changes.forEach(change -> transactions.add(of(change.replace(" T ", " " + table + " "))));
    transactions.add(
        of(
            "INSERT INTO %s SELECT 6, 5000, 'i', 0, %s, '\\x01' FROM generate_series(1, 1) n"
                .formatted(table, big),
            "UPDATE %s SET v = 1 WHERE id = 5000".formatted(table),
            "UPDATE %s SET tenant = 1 WHERE id = 5000".formatted(table),
            "UPDATE %s SET v = 2 WHERE id = 5000".formatted(table),
            "UPDATE %s SET tenant = 6, id = 5001 WHERE id = 5000".formatted(table),
            "UPDATE %s SET tenant = 5, big = big || 'x' WHERE id = 5001".formatted(table),
            "UPDATE %s SET code = 'changed', id = 5002 WHERE id = 5001".formatted(table)));
    return new Kind(
        table,
        ddl,
        of(
            "INSERT INTO %s SELECT n %% 7, n, 'c' || n, 0, %s, decode(md5(n::text), 'hex') FROM generate_series(1, 140) n"
                .formatted(table, big)),
        transactions);
  }

  @Test
  void everyKindOfTableIsTheSameOnBothSidesAfterEveryKindOfChange() throws Exception {
    SandboxShards shards = SharedSandbox.freshShards("a", "b");
    SandboxShard a = shards.get("a");
    SandboxShard b = shards.get("b");
    List<TableId> tables =
        KINDS.stream().map(k -> new TableId("public", unquoted(k.table))).toList();
    try (MoveScene scene = new MoveScene(shards, tables)) {
      for (Kind kind : KINDS) {
        a.execute(kind.ddl.toArray(String[]::new));
        a.execute(kind.rows.toArray(String[]::new));
      }
      a.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO app");
      scene.copySchema();
      for (Kind kind : KINDS) {
        if (kind.there != null) {
          b.execute("DROP TABLE " + kind.table);
          b.execute(kind.there.toArray(String[]::new));
        }
      }
      b.execute("INSERT INTO truncated VALUES (7, 'own'), (15, 'own')");
      scene.prepareSource();
      scene.copyAndReplicate();
      assertSame(a, b);
      for (Kind kind : KINDS) {
        for (List<String> change : kind.changes) {
          commit(a, change);
        }
      }
      scene.catchUp();
      assertSame(a, b);
      assertEquals(
          List.of("7", "15"), b.query("SELECT tenant FROM truncated WHERE v = 'own' ORDER BY 1"));
      for (TableResult result : scene.verify()) {
        assertTrue(result.isEqual(), result + " " + result.differences());
      }
    }
  }

  private static void assertSame(SandboxShard a, SandboxShard b) throws SQLException {
    for (Kind kind : KINDS) {
      RowComparer.withoutKey()
          .compare(
              RowSelection.of(a, kind.table).where("tenant % 8 < 6"),
              RowSelection.of(b, kind.table).where("tenant % 8 < 6"))
          .requireEqual();
    }
  }

  private static void commit(SandboxShard shard, List<String> statements) throws SQLException {
    try (Connection connection = shard.connect(SandboxRole.APP);
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      for (String sql : statements) {
        statement.execute(sql);
      }
      connection.commit();
    }
  }

  private static String unquoted(String name) {
    return name.startsWith("\"")
        ? name.substring(1, name.length() - 1).replace("\"\"", "\"")
        : name;
  }
}

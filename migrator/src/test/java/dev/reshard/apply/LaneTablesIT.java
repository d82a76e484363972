package dev.reshard.apply;

import static dev.reshard.apply.HandMade.row;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reshard.apply.HandMade.Source;
import dev.reshard.apply.LaneException.Problem;
import dev.reshard.change.RowChange;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Tables that are not the usual ones: types, no key, whole old rows, identity, partitions, names.
 */
@Timeout(120)
class LaneTablesIT {
  private static final List<String> TYPES =
      List.of(
          "numeric",
          "numeric(12,2)",
          "jsonb",
          "json",
          "int[]",
          "text[]",
          "timestamptz",
          "timetz",
          "interval",
          "public.mood",
          "bytea",
          "float8",
          "bool",
          "uuid",
          "inet",
          "varchar(20)",
          "char(5)",
          "int4range",
          "public.pair",
          "public.positive",
          "bit(3)",
          "xml",
          "money",
          "\"char\"",
          "tsvector",
          "date");

  /** Expressions whose text must arrive exactly. */
  private static final List<List<String>> VALUES =
      List.of(
          List.of(
              "12345678901234567890.123456789012345678900",
              "10.10",
              "{\"b\": [1.10, null], \"a\": \"\\u00e9\"}",
              "{\"b\" :1,  \"b\":2}",
              "[2:3]={1,NULL}",
              "{\"a,b\",NULL,\"NULL\",\"\\\"q\\\"\",\"\\\\\",\"\"}",
              "2024-02-29 12:34:56.123456+02",
              "12:00:00.5+05:30",
              "-1 year +2 mons -3 days 04:05:06.789",
              "so so",
              "\\x00ff5c",
              "0.1",
              "t",
              "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
              "10.1.2.3/32",
              "it's \"x\" \\ {,}",
              "ab",
              "[1,5)",
              "(1,\"a,b\")",
              "7",
              "101",
              "<a>ü</a>",
              "$1,234.50",
              "x",
              "'fat':2 'rat':3A",
              "0044-03-15 BC"),
          List.of(
              "NaN",
              "-0.01",
              "null",
              "null",
              "{}",
              "{}",
              "infinity",
              "00:00:00-15:59",
              "00:00:00",
              "ok",
              "\\x",
              "-Infinity",
              "f",
              "00000000-0000-0000-0000-000000000000",
              "::1",
              "",
              "",
              "empty",
              "(,)",
              "1",
              "000",
              "",
              "-$0.01",
              "",
              "",
              "-infinity"));

  @Test
  void valuesOfEveryTypeArriveExactly() throws Exception {
    StringBuilder columns = new StringBuilder("tenant_id bigint, id int");
    List<String> names = new ArrayList<>(List.of("tenant_id", "id"));
    for (int i = 0; i < TYPES.size(); i++) {
      columns.append(", c").append(i).append(' ').append(TYPES.get(i));
      names.add("c" + i);
    }
    try (LaneKit kit =
        LaneKit.withSharded(
            "t",
            "CREATE TYPE mood AS ENUM ('ok', 'so so')",
            "CREATE TYPE pair AS (n int, t text)",
            "CREATE DOMAIN positive AS int CHECK (VALUE > 0)",
            "CREATE TABLE t (%s, PRIMARY KEY (tenant_id, id))".formatted(columns),
            "CREATE TABLE expected (LIKE t)")) {
      Source table = Source.of("t", names, List.of("tenant_id", "id"), "tenant_id");
      List<RowChange> inserts = new ArrayList<>();
      List<RowChange> updates = new ArrayList<>();
      for (int i = 0; i < VALUES.size(); i++) {
        inserts.add(table.insert(rowOf("1", "" + i, null)));
        inserts.add(table.insert(rowOf("2", "" + i, VALUES.get(i))));
        updates.add(table.update(rowOf("1", "" + i, null), rowOf("1", "" + i, VALUES.get(i))));
        for (int tenant = 1; tenant <= 2; tenant++) {
          kit.shard.executeAsSuperuser(
              "SET TimeZone = 'UTC'; SET lc_monetary = 'C'; INSERT INTO expected VALUES (%d, %d, %s)"
                  .formatted(tenant, i, literals(VALUES.get(i))));
        }
      }
      kit.source.commit(List.of(), inserts);
      kit.applyAll();
      kit.source.commit(List.of(), updates);
      kit.applyAll();
      assertEquals(
          kit.query("SELECT e::text FROM expected e ORDER BY tenant_id, id"),
          kit.query("SELECT t::text FROM t ORDER BY tenant_id, id"));
    }
  }

  private static String[] rowOf(String tenant, String id, List<String> values) {
    List<String> row = new ArrayList<>(List.of(tenant, id));
    for (int i = 0; i < TYPES.size(); i++) {
      row.add(values == null ? null : values.get(i));
    }
    return row.toArray(String[]::new);
  }

  private static String literals(List<String> values) {
    StringBuilder literals = new StringBuilder();
    for (String value : values) {
      literals
          .append(literals.isEmpty() ? "" : ", ")
          .append('\'')
          .append(value.replace("'", "''"))
          .append('\'');
    }
    return literals.toString();
  }

  @Test
  void aTooLongValueIsRefusedAndNotCut() throws Exception {
    try (LaneKit kit =
        LaneKit.withSharded("t", "CREATE TABLE t (tenant_id bigint PRIMARY KEY, v varchar(3))")) {
      Source table = Source.of("t", List.of("tenant_id", "v"), List.of("tenant_id"), "tenant_id");
      kit.source.commit(table.insert("1", "four"));
      LaneException stop = kit.stops();
      assertEquals(Problem.REFUSED, stop.problem());
    }
  }

  @Test
  void withoutAKeyOneOfTheTwinsIsChangedAndOneDeleted() throws Exception {
    Source log =
        Source.of(
            "log",
            List.of("tenant_id", "line", "data", "pad"),
            List.of("tenant_id", "line", "data", "pad"),
            "tenant_id");
    try (LaneKit kit =
        LaneKit.withSharded(
            "log",
            "CREATE TABLE log (tenant_id bigint NOT NULL, line text, data json, pad char(4)) PARTITION BY HASH (tenant_id)",
            "CREATE TABLE log_0 PARTITION OF log FOR VALUES WITH (MODULUS 2, REMAINDER 0)",
            "CREATE TABLE log_1 PARTITION OF log FOR VALUES WITH (MODULUS 2, REMAINDER 1)",
            "INSERT INTO log SELECT t, 'twin', '{\"a\":1}', 'p' FROM generate_series(1, 2) t, generate_series(1, 3)",
            "INSERT INTO log VALUES (1, NULL, NULL, NULL), (9, 'twin', '{\"a\":1}', 'p')")) {
      kit.source.commit(
          log.delete("1", "twin", "{\"a\":1}", "p   "),
          log.update(
              row("1", "twin", "{\"a\":1}", "p   "), "1", "changed", RowChange.UNCHANGED, null),
          log.delete("1", null, null, null),
          log.insert("2", "new", "{ }", ""),
          log.insert("2", "new", "{ }", ""));
      kit.applyAll();
      assertEquals(
          List.of(
              "(1,changed,\"{\"\"a\"\":1}\",)",
              "(1,twin,\"{\"\"a\"\":1}\",\"p   \")",
              "(2,new,\"{ }\",\"    \")",
              "(2,new,\"{ }\",\"    \")",
              "(2,twin,\"{\"\"a\"\":1}\",\"p   \")",
              "(2,twin,\"{\"\"a\"\":1}\",\"p   \")",
              "(2,twin,\"{\"\"a\"\":1}\",\"p   \")",
              "(9,twin,\"{\"\"a\"\":1}\",\"p   \")"),
          kit.query("SELECT l::text FROM log l ORDER BY l::text COLLATE \"C\""));
    }
  }

  @Test
  void aMissingRowWithoutAKeyStopsTheLane() throws Exception {
    Source log =
        Source.of("log", List.of("tenant_id", "line"), List.of("tenant_id", "line"), "tenant_id");
    try (LaneKit kit =
        LaneKit.withSharded(
            "log",
            "CREATE TABLE log (tenant_id bigint NOT NULL, line text)",
            "INSERT INTO log VALUES (9, 'x')")) {
      kit.source.commit(log.delete("1", "x"));
      assertEquals(Problem.ROW_NOT_FOUND, kit.stops().problem());
    }
  }

  @Test
  void wholeOldRowsOfATableWithAPrimaryKeyAreFoundByItAndTheShardKey() throws Exception {
    Source full =
        Source.of(
            "t", List.of("id", "tenant_id", "j"), List.of("id", "tenant_id", "j"), "tenant_id");
    try (LaneKit kit =
        LaneKit.withSharded(
            "t",
            "CREATE TABLE t (id int PRIMARY KEY, tenant_id bigint NOT NULL, j json)",
            "INSERT INTO t VALUES (1, 1, '{}'), (2, 9, '{}'), (3, 2, '{}')")) {
      kit.source.commit(
          full.update(row("1", "1", "{}"), "1", "2", "{\"n\":1}"),
          full.delete("3", "2", "{}"),
          full.insert("4", "3", "[]"),
          full.update(row("5", "9", "[5]"), "5", "1", RowChange.UNCHANGED));
      kit.applyAll();
      assertEquals(
          List.of("1/2/{\"n\":1}", "2/9/{}", "4/3/[]", "5/1/[5]"),
          kit.query("SELECT id || '/' || tenant_id || '/' || j FROM t ORDER BY id"));
    }
  }

  @Test
  void generatedAndIdentityColumnsAreWrittenAsTheServerAllows() throws Exception {
    List<String> columns = List.of("tenant_id", "id", "serial", "price", "Odd \"name\"");
    Source table = Source.of("t", columns, List.of("tenant_id", "id"), "tenant_id");
    try (LaneKit kit =
        LaneKit.withSharded(
            "t",
            """
            CREATE TABLE t (dropped int, tenant_id bigint, id int GENERATED ALWAYS AS IDENTITY,
              serial int GENERATED BY DEFAULT AS IDENTITY, price numeric(8,2),
              doubled numeric GENERATED ALWAYS AS (price * 2) STORED, "Odd ""name\""" text,
              PRIMARY KEY (tenant_id, id))""",
            "ALTER TABLE t DROP COLUMN dropped")) {
      kit.source.commit(
          table.insert("1", "50", "7", "1.50", "x"), table.insert("1", "51", "8", "2.00", "y"));
      kit.applyAll();
      kit.source.commit(
          table.update(row("1", "50", null, null, null), "1", "50", "9", "3.00", "z"),
          table.update(
              row("1", "51", null, null, null), "1", "60", "8", "4.00", RowChange.UNCHANGED));
      kit.applyAll();
      assertEquals(
          List.of("(1,50,9,3.00,6.00,z)", "(1,60,8,4.00,8.00,y)"),
          kit.query("SELECT t::text FROM t ORDER BY id"));
    }
  }

  @Test
  void anIdentityColumnOutsideTheKeyStaysUnlessItWasChangedWhichIsNamed() throws Exception {
    Source table =
        Source.of("t", List.of("tenant_id", "n", "v"), List.of("tenant_id"), "tenant_id");
    try (LaneKit kit =
        LaneKit.withSharded(
            "t",
            "CREATE TABLE t (tenant_id bigint PRIMARY KEY, n int GENERATED ALWAYS AS IDENTITY, v text)",
            "INSERT INTO t VALUES (1, DEFAULT, 'a')")) {
      kit.source.commit(table.update(row("1", null, null), "1", "1", "b"));
      kit.applyAll();
      kit.source.commit(table.update(row("1", null, null), "1", "2", "c"));
      assertEquals(Problem.ROW_NOT_FOUND, kit.stops().problem());
      assertEquals(List.of("(1,1,b)"), kit.query("SELECT t::text FROM t"));
    }
  }

  @Test
  void aKeyWhoseTypeLivesInAnotherSchemaIsFoundByItsOwnOperator() throws Exception {
    Source table =
        Source.of("t", List.of("tenant_id", "k", "v"), List.of("tenant_id", "k"), "tenant_id");
    try (LaneKit kit = LaneKit.withSharded("t")) {
      kit.shard.executeAsSuperuser("CREATE SCHEMA ext", "CREATE EXTENSION ltree SCHEMA ext");
      kit.shard.executeAsSuperuser("GRANT USAGE ON SCHEMA ext TO PUBLIC");
      kit.shard.execute(
          "CREATE TABLE t (tenant_id bigint, k ext.ltree, v text, PRIMARY KEY (tenant_id, k))",
          "INSERT INTO t VALUES (1, 'top.a', 'a'), (1, 'top.b', 'b')");
      kit.source.commit(
          table.update(row("1", "top.a", null), "1", "top.c", "c"),
          table.delete("1", "top.b", null));
      kit.applyAll();
      assertEquals(List.of("(1,top.c,c)"), kit.query("SELECT t::text FROM t"));
    }
  }

  @Test
  void referenceTablesAreCarriedWhole() throws Exception {
    Source plans = Source.of("plans", List.of("code", "name"), List.of("code"), null);
    try (LaneKit kit =
        LaneKit.with(
            List.of(),
            List.of("plans"),
            "CREATE TABLE plans (code text PRIMARY KEY, name text)",
            "INSERT INTO plans VALUES ('old', 'x')")) {
      kit.source.commit(plans.truncate());
      kit.source.commit(plans.insert("a", "A"), plans.insert("b", "B"), plans.insert("c", "C"));
      kit.source.commit(plans.update(row("a", null), "a", "AA"), plans.delete("b", null));
      kit.source.commit(plans.update(row("c", null), "d", "C"));
      kit.applyAll();
      assertEquals(
          List.of("(a,AA)", "(d,C)"), kit.query("SELECT p::text FROM plans p ORDER BY code"));
    }
  }
}

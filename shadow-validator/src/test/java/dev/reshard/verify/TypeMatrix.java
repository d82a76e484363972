package dev.reshard.verify;

import dev.reshard.keyspace.TableId;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A table with a column of many types, and one of the array of each, and values that are hard to
 * carry. Two such tables have all types. Immutable.
 */
final class TypeMatrix {

  /** Both servers need these before the table is made. */
  static final String[] EXTENSIONS = {
    "CREATE EXTENSION hstore",
    "CREATE EXTENSION citext",
    "CREATE EXTENSION ltree",
    "CREATE EXTENSION cube",
    "CREATE EXTENSION isn"
  };

  /** Types of a user's own. */
  static final String[] TYPES = {
    "CREATE TYPE mood AS ENUM ('so so', 'fine', 'it''s \"great\"')",
    "CREATE TYPE pair AS (n int, t text, m mood)",
    "CREATE TYPE nested AS (p pair, l pair[], r regclass)",
    "CREATE DOMAIN positive AS int CHECK (VALUE > 0)",
    "CREATE DOMAIN moods AS mood[] CHECK (cardinality(VALUE) < 4)",
    "CREATE DOMAIN good_pair AS pair CHECK ((VALUE).n > 0)",
    "CREATE DOMAIN tables AS regclass",
    "CREATE TYPE span AS RANGE (subtype = float8, subtype_diff = float8mi)",
    "CREATE TYPE moodrange AS RANGE (subtype = mood)"
  };

  /**
   * Types that no table of a user's holds: the server gives them no input, or makes them for its
   * own catalogs.
   */
  static final List<String> NOT_FOR_TABLES =
      List.of(
          "gtsvector",
          "pg_brin_bloom_summary",
          "pg_brin_minmax_multi_summary",
          "pg_dependencies",
          "pg_mcv_list",
          "pg_ndistinct",
          "pg_node_tree");

  /** Values are what the type's input function reads; they must differ as text. */
  record Column(String type, List<String> values) {
    String name() {
      return "\"" + type.replace("\"", "\"\"") + "\"";
    }

    String arrayName() {
      return "\"" + type.replace("\"", "\"\"") + "[]\"";
    }

    /** The value of a row; one beyond the last is NULL. */
    String value(int row) {
      int place = row % (values.size() + 1);
      return place == values.size() ? "NULL" : element(place);
    }

    /** An array of a row: several elements, none, two dimensions that begin elsewhere, or NULL. */
    String array(int row) {
      String cast = "::" + type + "[]";
      return switch (row % 4) {
        case 0 -> "ARRAY[%s, NULL, %s]%s".formatted(element(0), element(1), cast);
        case 1 -> "'{}'" + cast;
        case 2 -> "array_fill(%s, ARRAY[2, 1], ARRAY[0, -3])%s".formatted(element(1), cast);
        default -> "NULL";
      };
    }

    private String element(int place) {
      return "'%s'::%s".formatted(values.get(place).replace("'", "''"), type);
    }
  }

  private final TableId id;
  private final List<Column> columns = new ArrayList<>();

  private TypeMatrix(String name) {
    this.id = new TableId("public", name);
  }

  /**
   * Types whose values are copied in their binary form.
   *
   * @param major the older one of both servers
   */
  static TypeMatrix values(int major) {
    TypeMatrix matrix = new TypeMatrix("Type \"matrix\"");
    matrix.numbers();
    matrix.texts();
    matrix.times(major);
    matrix.documents();
    matrix.networksAndShapes();
    matrix.ofTheServer();
    matrix.rangesAndOwn();
    return matrix;
  }

  /**
   * Types without a binary form that comes back, and references to objects, whose numbers differ by
   * database.
   */
  static TypeMatrix references() {
    TypeMatrix matrix = new TypeMatrix("references");
    matrix.objects();
    return matrix;
  }

  TableId id() {
    return id;
  }

  /** For SQL. */
  String table() {
    return id.quoted();
  }

  List<Column> columns() {
    return columns;
  }

  /** How many rows show every value. */
  int rows() {
    return columns.stream().mapToInt(column -> column.values.size() + 1).max().orElseThrow();
  }

  String ddl() {
    return "CREATE TABLE %s (tenant bigint, id int, note text, big text, %s, PRIMARY KEY (tenant, id))"
        .formatted(
            table(),
            columns.stream()
                .flatMap(
                    c ->
                        Stream.of(c.name() + " " + c.type(), c.arrayName() + " " + c.type() + "[]"))
                .collect(Collectors.joining(", ")));
  }

  String insert(int tenant, int id) {
    return "INSERT INTO %s VALUES (%d, %d, 'n', NULL, %s)"
        .formatted(
            table(),
            tenant,
            id,
            columns.stream()
                .flatMap(c -> Stream.of(c.value(id), c.array(id)))
                .collect(Collectors.joining(", ")));
  }

  /** Every column gets the value that another row was inserted with. */
  String update(int tenant, int id, int like) {
    return "UPDATE %s SET %s WHERE tenant = %d AND id = %d"
        .formatted(
            table(),
            columns.stream()
                .flatMap(
                    c ->
                        Stream.of(
                            c.name() + " = " + c.value(like),
                            c.arrayName() + " = " + c.array(like)))
                .collect(Collectors.joining(", ")),
            tenant,
            id);
  }

  private void add(String type, String... values) {
    columns.add(new Column(type, List.of(values)));
  }

  private void numbers() {
    add("bool", "t", "f");
    add("int2", "-32768", "32767", "0");
    add("int4", "-2147483648", "2147483647");
    add("int8", "-9223372036854775808", "9223372036854775807");
    add("float4", "0.1", "NaN", "-Infinity", "-0", "1e-45");
    add("float8", "0.1", "NaN", "Infinity", "-0", "4.9e-324", "1.7976931348623157e308");
    add("numeric", "1.10", "1.1", "NaN", "Infinity", "-Infinity", "1e131071", "-1e-16383", "0.000");
    add("numeric(12,2)", "10.10", "-0.01", "NaN");
    add("numeric(5,-2)", "12300", "-9999900");
    add("money", "$1,234.50", "-$92,233,720,368,547,758.08", "$0.00");
    add("bit(3)", "101", "000");
    add("varbit", "1", "", "0".repeat(70) + "1");
  }

  private void texts() {
    add("text", "tab\t line\n \\N {,} \"q\" 'ü' \ud83d\ude00", "", "NULL", "\\", " x ");
    add("varchar(20)", "it's \"x\" \\ {,}", "");
    add("bpchar(5)", "ab", "", "é");
    add("\"char\"", "x", "");
    add("name", "a name", "");
    add("bytea", "\\x00ff5c27", "\\x");
    add("refcursor", "c", "");
    add("uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "00000000-0000-0000-0000-000000000000");
    add("public.citext", "MiXed", "mixed");
    add("public.ltree", "top.a", "");
    add("public.lquery", "top.*{1,2}", "a|b@");
    add("public.ltxtquery", "a & !b", "c");
    add("information_schema.sql_identifier", "some", "other");
    add("information_schema.cardinal_number", "1", "2");
  }

  private void times(int major) {
    add("date", "4714-11-24 BC", "infinity", "-infinity", "5874897-12-31", "0044-03-15 BC");
    add("time", "24:00:00", "00:00:00.000001");
    add("timetz", "24:00:00-15:59", "00:00:00.5+15:59", "12:00:00+05:30");
    add("timestamp", "4714-11-24 00:00:00 BC", "infinity", "294276-12-31 23:59:59.999999");
    add("timestamptz", "-infinity", "infinity", "2024-02-29 12:34:56.123456+02");
    add("timestamptz(0)", "2024-02-29 12:34:56+02", "0001-01-01 00:00:00+00 BC");
    List<String> spans =
        new ArrayList<>(
            List.of(
                "-1 year +2 mons -3 days 04:05:06.789",
                "00:00:00",
                "30 days",
                "1 mon",
                "178000000 years",
                "-178000000 years"));
    if (major >= 17) {
      spans.addAll(List.of("infinity", "-infinity"));
    }
    columns.add(new Column("interval", spans));
    add("interval day to second(2)", "1 day 00:00:00.12", "-1 day");
  }

  private void documents() {
    add("json", "{\"b\" :1,  \"b\":2}", "null", "\"\\u00e9\"");
    add("jsonb", "{\"b\": [1.10, null], \"a\": \"\\u00e9\"}", "null", "1.1", "1.10");
    add("jsonpath", "$.\"a\"[*]?(@ > 1)", "$");
    add("xml", "<a>&lt;ü</a>", "", "text <b/> and <c/>");
    add("tsvector", "'fat':2 'rat':3A,4", "");
    add("public.hstore", "\"a\"=>\"1\", \"b,\"=>NULL", "");
  }

  private void networksAndShapes() {
    add("inet", "10.1.2.3/8", "::1", "::1/64", "10.1.2.3");
    add("cidr", "10.0.0.0/8", "::/0");
    add("macaddr", "08:00:2b:01:02:03", "ff:ff:ff:ff:ff:ff");
    add("macaddr8", "08:00:2b:01:02:03:04:05", "00:00:00:00:00:00:00:00");
    add("point", "(1.5,-2)", "(NaN,Infinity)", "(1e-300,0)");
    add("lseg", "[(0,0),(1,1.1)]", "[(0,0),(0,0)]");
    add("path", "((0,0),(1,1),(2,0))", "[(0,0),(1,1),(2,0)]");
    add("box", "(2,2),(0,0)", "(1,1),(1,1)");
    add("polygon", "((0,0),(1,1),(2,0))", "((0,0))");
    add("line", "{1,-1,0}", "{0.1,1,2}");
    add("circle", "<(1,2),3.3>", "<(0,0),0>");
    add("public.cube", "(1, 2),(3, 4)", "(0)");
  }

  private void ofTheServer() {
    add("oid", "4294967295", "0");
    add("xid", "4294967295", "3");
    add("xid8", "18446744073709551615", "3");
    add("cid", "4294967295", "0");
    add("tid", "(4294967295,65535)", "(0,1)");
    add("pg_lsn", "FFFFFFFF/FFFFFFFF", "0/0");
    add("pg_snapshot", "10:20:10,14,15", "1:1:");
    add("txid_snapshot", "10:20:10,14,15", "1:1:");
  }

  private void objects() {
    add("public.isbn", "0-19-853453-1", "0-306-40615-2");
    add("tsquery", "'fat' & ( 'rat':AB* | !'cat' <2> 'x' )", "");
    add("oidvector", "1 2 4294967295", "");
    add("int2vector", "1 -2", "");
    add("aclitem", "app=r*w/app_owner", "=r/app_owner");
    add("regclass", "public.\"references\"", "pg_catalog.pg_class", "-");
    add("regtype", "public.mood", "integer[]", "public.pair[]");
    add("regproc", "now", "version");
    add("regprocedure", "length(text)", "public.hstore(record)");
    add("regoper", "||/", "|/");
    add("regoperator", "+(integer,integer)", "-(NONE,bigint)");
    add("regrole", "app", "app_owner");
    add("regnamespace", "public", "information_schema");
    add("regcollation", "\"C\"", "\"POSIX\"");
    add("regconfig", "english", "simple");
    add("regdictionary", "english_stem", "simple");
    add("public.nested", "(\"(1,x,)\",\"{\"\"(2,y,fine)\"\",NULL}\",pg_class)", "(,{},)");
    add("public.tables", "public.\"references\"", "pg_class");
  }

  private void rangesAndOwn() {
    add("int4range", "[1,5)", "empty", "(,)");
    add("int8range", "[1,5)", "[3,)");
    add("numrange", "[1.10,2.0]", "(,NaN]");
    add("daterange", "[-infinity,infinity)", "[2024-01-01,2024-02-01)");
    add("tsrange", "[\"2024-01-01 00:00:00\",infinity]", "empty");
    add("tstzrange", "[\"2024-01-01 00:00:00+02\",)", "empty");
    add("int4multirange", "{[1,3), [5,9)}", "{}");
    add("int8multirange", "{[1,3)}", "{(,)}");
    add("nummultirange", "{[1.10,2.0]}", "{}");
    add("datemultirange", "{[2024-01-01,infinity]}", "{}");
    add("tsmultirange", "{[\"2024-01-01 00:00:00\",)}", "{}");
    add("tstzmultirange", "{[\"2024-01-01 00:00:00+02\",)}", "{}");
    add("public.mood", "so so", "fine", "it's \"great\"");
    add("public.pair", "(1,\"a,\"\"b\"\"\",fine)", "(,,)");
    add("public.positive", "7", "1");
    add("public.moods", "{fine,\"so so\"}", "{}");
    add("public.good_pair", "(1,x,)", "(2,,fine)");
    add("public.span", "[0.1,NaN)", "empty");
    add("public.span_multirange", "{[0.1,0.2)}", "{}");
    add("public.moodrange", "[\"so so\",fine]", "empty");
    add("public.moodmultirange", "{[\"so so\",fine]}", "{}");
  }
}

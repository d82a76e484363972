package dev.reshard.guard;

import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Column;
import dev.reshard.postgres.Marker;
import dev.reshard.postgres.Table;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The function that puts a row into the WAL when an UPDATE takes it to another bucket: the UPDATE
 * itself leaves out values that are stored out of line and did not change, and no other shard has
 * them (HAZARDS F9). Stateless.
 *
 * <p>The message is transactional, has the prefix {@link Marker#ROW} and follows the UPDATE. Its
 * content is JSON, values being the text that casts back to them:
 *
 * <pre>{"schema":"public","name":"orders","key":{"id":"7"},"values":{"note":"..","image":null}}
 * </pre>
 *
 * {@code key} has the replica identity's columns, {@code values} all that may be stored out of
 * line, both of the new row; the table is the root of its partitions.
 */
final class RowMessage {
  /** As our own sessions have them, so that a value has one text form everywhere. */
  private static final List<String> SETTINGS =
      List.of(
          "search_path = pg_catalog",
          "DateStyle = 'ISO, YMD'",
          "IntervalStyle = postgres",
          "TimeZone = 'UTC'",
          "extra_float_digits = 1",
          "bytea_output = hex",
          "lc_monetary = 'C'",
          "xmloption = content");

  /** The most pairs for one json_build_object: a function takes 100 arguments. */
  private static final int PAIRS = 50;

  private RowMessage() {}

  static String functionName(Table table) {
    return "row_" + table.oid();
  }

  static String function(Table table) {
    return "CREATE OR REPLACE FUNCTION reshard.%s() RETURNS trigger LANGUAGE plpgsql %s AS %s"
        .formatted(
            functionName(table),
            SETTINGS.stream().map("SET "::concat).collect(Collectors.joining(" ")),
            literal(source(table)));
  }

  /** What the function says of a row, as {@code pg_proc.prosrc} has it. */
  static String source(Table table) {
    return """
        BEGIN
          PERFORM pg_logical_emit_message(true, '%s', json_build_object('schema', %s, 'name', %s,
            'key', %s, 'values', %s)::text);
          RETURN NULL;
        END"""
        .formatted(
            Marker.ROW,
            literal(table.id().schema()),
            literal(table.id().name()),
            object(table.identity().columns().stream()),
            object(values(table).stream()));
  }

  /** The columns whose values an UPDATE may leave out. */
  static Set<String> values(Table table) {
    return table.stored().stream()
        .filter(Column::toastable)
        .map(Column::name)
        .collect(Collectors.toUnmodifiableSet());
  }

  private static String object(Stream<String> columns) {
    List<String> pairs =
        columns
            .sorted()
            .map(name -> "%s, NEW.%s::text".formatted(literal(name), TableId.quote(name)))
            .toList();
    if (pairs.size() <= PAIRS) {
      return "json_build_object(%s)".formatted(String.join(", ", pairs));
    }
    return pairs.stream()
        .map("(%s)"::formatted)
        .collect(
            Collectors.joining(", ", "(SELECT json_object_agg(k, v) FROM (VALUES ", ") r(k, v))"));
  }

  private static String literal(String text) {
    return "'" + text.replace("'", "''") + "'";
  }
}

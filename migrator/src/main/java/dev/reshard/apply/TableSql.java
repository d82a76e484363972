package dev.reshard.apply;

import dev.reshard.apply.DestinationTable.Column;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The statements that write one table. Values come as arrays of text, one per column, and are cast
 * to the column's type row by row. Each statement is made once. Confined to the lane's thread.
 */
final class TableSql {
  private final DestinationTable table;
  private final String name;
  private final int[] key;
  private final int[] match;
  private final Map<BitSet, String> updates = new HashMap<>();
  private final Map<BitSet, String> changes = new HashMap<>();
  private final String insert;
  private final String delete;

  TableSql(DestinationTable table) {
    this.table = table;
    this.name = table.id().quoted();
    this.key = table.rowKey().places();
    this.match = table.mustMatch().stream().toArray();
    this.insert = makeInsert();
    this.delete = makeDelete();
  }

  /** Arrays: all columns. */
  String insert() {
    return insert;
  }

  /** As {@link #insert}, of rows whose key is not there. */
  String insertAbsent() {
    return "%s WHERE NOT EXISTS (SELECT FROM %s AS t WHERE %s)"
        .formatted(
            insert,
            name,
            IntStream.of(key).mapToObj(i -> equal(i, "v")).collect(Collectors.joining(" AND ")));
  }

  /** The row of a key: {@code s.k..}, as in {@link #delete}. No parameters. */
  String selectKey() {
    return "SELECT FROM %s AS t WHERE %s".formatted(name, keyCondition());
  }

  /** Arrays: the row key. */
  String delete() {
    return delete;
  }

  /** Arrays: the old row key, {@link #matched}, the columns in {@code set}. */
  String update(BitSet set) {
    return updates.computeIfAbsent(set, this::makeUpdate);
  }

  /** Positions of the columns, beside the key, that an UPDATE compares. */
  int[] matched() {
    return match.clone();
  }

  /**
   * As {@link #update}, for a key that holds a column GENERATED ALWAYS, which no UPDATE can set:
   * the row is taken out and put in again by one statement, with what it had in the columns that
   * are not in {@code set}.
   */
  String replace(BitSet set) {
    return """
        WITH s AS (SELECT * FROM %s), gone AS (DELETE FROM %s AS t USING s WHERE %s RETURNING t.*)
        INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM gone AS t, s"""
        .formatted(
            unnest(set),
            name,
            condition(),
            name,
            names(),
            columns()
                .mapToObj(i -> set.get(i) ? cast("s.v" + i, i) : "t." + column(i).quoted())
                .collect(Collectors.joining(", ")));
  }

  /** No parameters. */
  String clear() {
    return "DELETE FROM " + name + table.clear().map(where -> " WHERE " + where).orElse("");
  }

  /** Parameters: the shard key if there is one, then all columns. */
  String removeOne() {
    return "DELETE FROM %s AS t USING (%s) AS one WHERE %s"
        .formatted(name, one(), "t.ctid = one.c AND t.tableoid = one.o");
  }

  /** Parameters: the columns in {@code set}, then as {@link #removeOne}. */
  String changeOne(BitSet set) {
    return changes.computeIfAbsent(
        set,
        places ->
            "UPDATE %s AS t SET %s FROM (%s) AS one WHERE %s"
                .formatted(
                    name,
                    places.stream()
                        .mapToObj(i -> column(i).quoted() + " = " + cast("?::text", i))
                        .collect(Collectors.joining(", ")),
                    one(),
                    "t.ctid = one.c AND t.tableoid = one.o"));
  }

  /**
   * Finds one row of possibly several twins. Compared as text on both sides, because not every type
   * has an equality; cast there and back, because a value's text is not always its cast to text.
   */
  private String one() {
    List<String> conditions = new ArrayList<>();
    table
        .shardKey()
        .ifPresent(
            i ->
                conditions.add(
                    "x.%s %s %s"
                        .formatted(
                            column(i).quoted(), column(i).type().equals(), cast("?::text", i))));
    columns()
        .mapToObj(
            i ->
                "x.%s::text IS NOT DISTINCT FROM %s::text"
                    .formatted(column(i).quoted(), cast("?::text", i)))
        .forEach(conditions::add);
    return "SELECT x.ctid AS c, x.tableoid AS o FROM %s AS x WHERE %s LIMIT 1"
        .formatted(name, String.join(" AND ", conditions));
  }

  private String makeInsert() {
    return "INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM %s"
        .formatted(
            name,
            names(),
            columns().mapToObj(i -> cast("s.v" + i, i)).collect(Collectors.joining(", ")),
            unnest(columns().mapToObj(i -> "v" + i).toList()));
  }

  private String makeDelete() {
    return "DELETE FROM %s AS t USING %s WHERE %s"
        .formatted(name, unnest(keyNames(key)), keyCondition());
  }

  private String makeUpdate(BitSet set) {
    return "UPDATE %s AS t SET %s FROM %s WHERE %s"
        .formatted(
            name,
            set.stream()
                .mapToObj(i -> column(i).quoted() + " = " + cast("s.v" + i, i))
                .collect(Collectors.joining(", ")),
            unnest(set),
            condition());
  }

  private String unnest(BitSet set) {
    List<String> names = new ArrayList<>(keyNames(key));
    IntStream.of(match).forEach(i -> names.add("m" + i));
    set.stream().forEach(i -> names.add("v" + i));
    return unnest(names);
  }

  /** Rows {@code s} with these columns, of one array each. */
  static String unnest(List<String> names) {
    return "unnest(%s) AS s(%s)"
        .formatted(
            names.stream().map(n -> "?::text[]").collect(Collectors.joining(", ")),
            String.join(", ", names));
  }

  /** What the columns of a key are called in {@link #unnest}. */
  static List<String> keyNames(int[] places) {
    return IntStream.of(places).mapToObj(place -> "k" + place).toList();
  }

  private String condition() {
    return Stream.concat(
            Stream.of(keyCondition()), IntStream.of(match).mapToObj(i -> equal(i, "m")))
        .collect(Collectors.joining(" AND "));
  }

  private String keyCondition() {
    return IntStream.of(key).mapToObj(i -> equal(i, "k")).collect(Collectors.joining(" AND "));
  }

  private String equal(int place, String prefix) {
    Column column = column(place);
    return "t.%s %s %s"
        .formatted(column.quoted(), column.type().equals(), cast("s." + prefix + place, place));
  }

  private String names() {
    return columns().mapToObj(i -> column(i).quoted()).collect(Collectors.joining(", "));
  }

  private IntStream columns() {
    return IntStream.range(0, table.columns().size());
  }

  private Column column(int place) {
    return table.columns().get(place);
  }

  private String cast(String expression, int place) {
    return column(place).type().ofText(expression);
  }
}

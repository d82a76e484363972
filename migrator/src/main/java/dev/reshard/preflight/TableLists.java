package dev.reshard.preflight;

import dev.reshard.keyspace.Keyspace;
import dev.reshard.keyspace.Keyspace.ShardedTable;
import dev.reshard.keyspace.TableId;
import dev.reshard.spec.Spec;
import dev.reshard.spec.Spec.KeyspaceSpec;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Puts every table of the spec's schemas into exactly one of its lists. Immutable.
 *
 * @param keyspace the sharded and the reference tables
 * @param problems tables in no list, in two lists, or named and not there or not sharded
 */
public record TableLists(Keyspace keyspace, List<Finding> problems) {
  private static final String TABLES =
      """
      SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname = ANY (?)
       ORDER BY 1, 2""";

  /** Reads the tables of one shard, mostly the control shard: checks compare the others with it. */
  public static TableLists read(Connection connection, KeyspaceSpec spec) throws SQLException {
    return place(names(connection, spec), spec);
  }

  private static List<TableId> names(Connection connection, KeyspaceSpec spec) throws SQLException {
    List<TableId> tables = new ArrayList<>();
    try (PreparedStatement statement = connection.prepareStatement(TABLES)) {
      statement.setArray(1, connection.createArrayOf("text", schemas(spec).toArray()));
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          tables.add(new TableId(row.getString(1), row.getString(2)));
        }
      }
    }
    return tables;
  }

  /** The tables of one shard in the schemas of the spec, in whatever list they are. */
  static List<TableId> names(CheckSession session, KeyspaceSpec spec) throws SQLException {
    return session.query(
        TABLES,
        row -> new TableId(row.getString(1), row.getString(2)),
        session.texts(schemas(spec)));
  }

  /** Every schema that a list names. */
  static Set<String> schemas(KeyspaceSpec spec) {
    return Stream.of(spec.sharded(), spec.reference(), spec.ignored())
        .flatMap(List::stream)
        .map(pattern -> pattern.substring(0, pattern.indexOf('.')))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  static TableLists place(List<TableId> tables, KeyspaceSpec spec) {
    List<Finding> problems = new ArrayList<>();
    List<ShardedTable> sharded = new ArrayList<>();
    List<TableId> reference = new ArrayList<>();
    for (TableId table : tables) {
      List<List<String>> lists = listsWith(table, spec);
      if (lists.size() != 1) {
        problems.add(
            Finding.blocker(
                    "is in %s".formatted(lists.isEmpty() ? "no list" : lists.size() + " lists"))
                .on(table)
                .todo("put it into exactly one of keyspace.tables.sharded, reference, ignored"));
      } else if (lists.get(0) == spec.sharded()) {
        sharded.add(new ShardedTable(table, spec.keyOf().getOrDefault(table, spec.key())));
      } else if (lists.get(0) == spec.reference()) {
        reference.add(table);
      }
    }
    Stream.of(spec.sharded(), spec.reference())
        .flatMap(List::stream)
        .filter(name -> !name.endsWith(".*"))
        .filter(name -> tables.stream().noneMatch(table -> table.toString().equals(name)))
        .forEach(
            name ->
                problems.add(
                    Finding.blocker("the file names it, but no shard has such a table")
                        .on(id(name))
                        .todo("correct the name, or take it out of keyspace.tables")));
    spec.keyOf().keySet().stream()
        .filter(named -> sharded.stream().noneMatch(table -> table.id().equals(named)))
        .sorted()
        .forEach(
            named ->
                problems.add(
                    Finding.blocker("keyspace.tables.key_of names it, but it is no sharded table")
                        .on(named)
                        .todo("correct the name, or take it out of key_of")));
    spec.acceptCrossShardUnique().stream()
        .filter(name -> !name.endsWith(".*"))
        .filter(name -> sharded.stream().noneMatch(table -> table.id().toString().equals(name)))
        .forEach(
            name ->
                problems.add(
                    Finding.blocker(
                            "keyspace.tables.accept_cross_shard_unique names it, but it is no sharded table")
                        .on(id(name))
                        .todo("correct the name, or take it out of accept_cross_shard_unique")));
    spec.ignoredColumns().keySet().stream()
        .filter(named -> sharded.stream().noneMatch(table -> table.id().equals(named)))
        .filter(named -> !reference.contains(named))
        .sorted()
        .forEach(
            named ->
                problems.add(
                    Finding.blocker(
                            "keyspace.tables.ignored_columns names it, but it is no sharded or reference table")
                        .on(named)
                        .todo("correct the name, or take it out of ignored_columns")));
    return new TableLists(
        new Keyspace(spec.name(), spec.buckets(), sharded, reference, spec.ignoredColumns()),
        problems);
  }

  /** The lists that name the table; if none does, those with a pattern for its schema. */
  private static List<List<String>> listsWith(TableId table, KeyspaceSpec spec) {
    List<List<String>> all = List.of(spec.sharded(), spec.reference(), spec.ignored());
    List<List<String>> named =
        all.stream().filter(list -> list.contains(table.toString())).toList();
    return named.isEmpty()
        ? all.stream().filter(list -> list.contains(table.schema() + ".*")).toList()
        : named;
  }

  /**
   * Tables of one shard that the file does not ignore, and that a migration under way does not
   * move.
   *
   * @param moved the tables that it moves
   */
  public static List<TableId> newTables(Connection connection, KeyspaceSpec spec, Keyspace moved)
      throws SQLException {
    return names(connection, spec).stream()
        .filter(id -> moved.sharded().stream().noneMatch(table -> table.id().equals(id)))
        .filter(id -> !moved.reference().contains(id))
        .filter(id -> listsWith(id, spec).stream().noneMatch(list -> list == spec.ignored()))
        .toList();
  }

  /** Tables that are to be copied first, but are not copied at all. */
  static List<Finding> unknownFirst(Spec.Copy copy, Keyspace keyspace) {
    return copy.first().stream()
        .filter(id -> keyspace.sharded().stream().noneMatch(table -> table.id().equals(id)))
        .filter(id -> !keyspace.reference().contains(id))
        .map(
            id ->
                Finding.blocker("copy.first names it, but it is no sharded or reference table")
                    .on(id)
                    .todo("correct the name, or take it out of copy.first"))
        .toList();
  }

  private static TableId id(String name) {
    int dot = name.indexOf('.');
    return new TableId(name.substring(0, dot), name.substring(dot + 1));
  }
}

package dev.reshard.verify;

import dev.reshard.copy.TableCopy;
import dev.reshard.copy.Target;
import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Catalog;
import dev.reshard.postgres.Column;
import dev.reshard.postgres.Table;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Compares one table on a source with its copy on one destination, in two sessions whose snapshots
 * must agree. Both servers add up their rows' digests; only where the sums differ, by bucket then,
 * are keys and digests fetched, and merged. Confined to one thread; uses a second one while it
 * runs.
 */
public final class TableComparison {
  /** In place of a bucket's number: all of them together. */
  private static final int WHOLE = -1;

  /** Rows of one bucket: how many, and the sum of their digests. */
  private record Sum(long rows, BigDecimal digests) {}

  private final Connection source;
  private final Connection destination;
  private final TableCopy copy;
  private final Target target;
  private final List<Column> key;
  private final String digest;

  private TableComparison(
      Connection source, Connection destination, TableCopy copy, Target target, String digest) {
    this.source = source;
    this.destination = destination;
    this.copy = copy;
    this.target = target;
    this.key = rowKey(copy);
    this.digest = digest;
  }

  /**
   * Reads both catalogs.
   *
   * @param source in a transaction of one snapshot
   * @param destination in a transaction of one snapshot, of the same position
   * @throws ComparisonException if the tables' columns differ
   */
  public static TableComparison of(
      Connection source, Connection destination, TableCopy copy, Target target)
      throws SQLException {
    return of(source, destination, copy, target, RowDigest.Algorithm.of(source, destination));
  }

  static TableComparison of(
      Connection source,
      Connection destination,
      TableCopy copy,
      Target target,
      RowDigest.Algorithm algorithm)
      throws SQLException {
    TableId id = copy.table().id();
    Optional<Table> there = Catalog.find(destination, id);
    if (there.isEmpty() || !types(there.get()).equals(types(copy.table()))) {
      throw new ComparisonException(
          ("Table %s cannot be compared: its columns are %s on the source, but %s on %s. Make both"
                  + " alike, then verify again.")
              .formatted(
                  id,
                  types(copy.table()),
                  there.map(table -> types(table).toString()).orElse("(no table)"),
                  target.destination()));
    }
    String digest = RowDigest.of(source, copy.table()).sql(algorithm);
    return new TableComparison(source, destination, copy, target, digest);
  }

  /** The row key's columns, in the order in which differences name their values. */
  public List<String> keyColumns() {
    return key.stream().map(Column::name).toList();
  }

  /** Compares all rows of the moving buckets. */
  public TableResult compare() throws SQLException, InterruptedException {
    // Groups cost a third of the time, and most tables do not differ.
    BothSides<Map<Integer, Sum>> whole =
        sums("SELECT %d, count(*), sum(h) FROM".formatted(WHOLE), "");
    if (whole.source().equals(whole.destination())) {
      long rows = whole.source().get(WHOLE).rows();
      return result(new DifferenceFinder(!key.isEmpty()), rows, rows);
    }
    BothSides<Map<Integer, Sum>> sums = sums("SELECT b, count(*), sum(h) FROM", " GROUP BY b");
    BucketSet differing =
        BucketSet.of(
            IntStream.concat(
                    sums.source().keySet().stream().mapToInt(Integer::intValue),
                    sums.destination().keySet().stream().mapToInt(Integer::intValue))
                .filter(
                    b ->
                        !Optional.ofNullable(sums.source().get(b))
                            .equals(Optional.ofNullable(sums.destination().get(b)))));
    DifferenceFinder found = new DifferenceFinder(!key.isEmpty());
    if (!differing.isEmpty()) {
      find(found, new Target(target.destination(), differing), "", List.of());
    }
    return result(
        found,
        sums.source().values().stream().mapToLong(Sum::rows).sum(),
        sums.destination().values().stream().mapToLong(Sum::rows).sum());
  }

  /**
   * Compares only the rows with these keys, as far as they are in the moving buckets: those that
   * changed since a full comparison.
   *
   * @param columns what the keys consist of; mostly the row key, in any order
   * @param keys values as text, each in the order of {@code columns}
   * @throws IllegalStateException if the table has no key
   */
  public TableResult compareKeys(List<String> columns, List<List<String>> keys)
      throws SQLException {
    if (key.isEmpty()) {
      throw new IllegalStateException(copy.table().id() + " has no key");
    }
    List<String> quoted = new ArrayList<>();
    List<String> cast = new ArrayList<>();
    List<List<String>> lists = new ArrayList<>();
    for (int i = 0; i < columns.size(); i++) {
      int place = i;
      Column column = copy.table().column(columns.get(i));
      quoted.add(column.quoted());
      cast.add("k%d::%s".formatted(i, column.type()));
      lists.add(keys.stream().map(values -> values.get(place)).toList());
    }
    String condition =
        " AND (%s) IN (SELECT %s FROM unnest(%s) AS given (%s))"
            .formatted(
                String.join(", ", quoted),
                String.join(", ", cast),
                cast.stream().map(each -> "?::text[]").collect(Collectors.joining(", ")),
                IntStream.range(0, columns.size())
                    .mapToObj(i -> "k" + i)
                    .collect(Collectors.joining(", ")));
    DifferenceFinder found = new DifferenceFinder(true);
    find(found, target, condition, lists);
    return result(found, found.sourceRows(), found.destinationRows());
  }

  private void find(
      DifferenceFinder finder, Target where, String condition, List<List<String>> lists)
      throws SQLException {
    String columns =
        key.isEmpty()
            ? "to_hex(%s) COLLATE \"C\"".formatted(digest)
            : key.stream()
                .map(column -> column.quoted() + "::text COLLATE \"C\"")
                .collect(Collectors.joining(", "));
    int width = Math.max(1, key.size());
    String query =
        "SELECT %s, %s FROM %s WHERE %s%s ORDER BY %s"
            .formatted(
                columns,
                digest,
                copy.table().id().quoted(),
                copy.whereMoving(where),
                condition,
                IntStream.rangeClosed(1, width + 1)
                    .mapToObj(Integer::toString)
                    .collect(Collectors.joining(", ")));
    try (KeyedRows left = KeyedRows.open(source, query, width, lists);
        KeyedRows right = KeyedRows.open(destination, query, width, lists)) {
      finder.find(left, right);
    }
  }

  private TableResult result(DifferenceFinder found, long sourceRows, long destinationRows) {
    return new TableResult(
        copy.table().id(),
        target.destination(),
        sourceRows,
        destinationRows,
        found.missing(),
        found.extra(),
        found.changed(),
        keyColumns(),
        found.differences());
  }

  private BothSides<Map<Integer, Sum>> sums(String select, String groups)
      throws SQLException, InterruptedException {
    String query =
        "%s (SELECT %s AS b, %s AS h FROM %s WHERE %s) r%s"
            .formatted(
                select,
                copy.bucket(),
                digest,
                copy.table().id().quoted(),
                copy.whereMoving(target),
                groups);
    return BothSides.read(source, destination, connection -> sums(connection, query));
  }

  private static Map<Integer, Sum> sums(Connection connection, String query) throws SQLException {
    Map<Integer, Sum> sums = new HashMap<>();
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(query)) {
      while (row.next()) {
        sums.put(row.getInt(1), new Sum(row.getLong(2), row.getBigDecimal(3)));
      }
    }
    return sums;
  }

  /** Shard key and primary key, or else what the replica identity's index has; empty without. */
  private static List<Column> rowKey(TableCopy copy) {
    Table table = copy.table();
    List<String> unique =
        !table.primaryKey().isEmpty() || table.identity().full()
            ? table.primaryKey()
            : table.identity().columns();
    return unique.isEmpty()
        ? List.of()
        : Stream.concat(copy.key().stream(), unique.stream())
            .distinct()
            .map(table::column)
            .toList();
  }

  private static Map<String, String> types(Table table) {
    return table.stored().stream()
        .collect(Collectors.toMap(Column::name, Column::type, (a, b) -> a, TreeMap::new));
  }
}

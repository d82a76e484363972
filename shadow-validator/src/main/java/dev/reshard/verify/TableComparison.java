package dev.reshard.verify;

import dev.reshard.copy.TableCopy;
import dev.reshard.copy.Target;
import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Catalog;
import dev.reshard.postgres.Column;
import dev.reshard.postgres.Table;
import dev.reshard.throttle.Turn;
import dev.reshard.verify.DigestSums.Sum;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
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
 * are keys and digests fetched, in one go, and merged. Confined to one thread; uses others while it
 * runs.
 */
final class TableComparison {
  private final Connection source;
  private final Connection destination;
  private final TableCopy copy;
  private final Target target;
  private final List<Column> key;
  private final String digest;
  private final DigestSums digests;
  private final Turns turns;

  private TableComparison(
      Connection source,
      Connection destination,
      TableCopy copy,
      Target target,
      String digest,
      DigestSums digests,
      Turns turns) {
    this.source = source;
    this.destination = destination;
    this.copy = copy;
    this.target = target;
    this.key = keyOf(copy);
    this.digest = digest;
    this.digests = digests;
    this.turns = turns;
  }

  /**
   * Reads both catalogs.
   *
   * @param source in a transaction of one snapshot
   * @param destination in a transaction of one snapshot, of the same position
   * @param turns what it waits for
   * @throws ComparisonException if the tables' columns differ
   */
  static TableComparison of(
      Connection source, Connection destination, TableCopy copy, Target target, Turns turns)
      throws SQLException {
    return of(
        source, destination, copy, target, turns, RowDigest.Algorithm.of(source, destination));
  }

  static TableComparison of(
      Connection source,
      Connection destination,
      TableCopy copy,
      Target target,
      Turns turns,
      RowDigest.Algorithm algorithm)
      throws SQLException {
    TableId id = copy.table().id();
    Optional<Table> here = find(source, id);
    Optional<Table> there = find(destination, id);
    if (here.isEmpty() || there.isEmpty() || !types(there.get()).equals(types(copy.table()))) {
      throw new ComparisonException(
          ("Table %s cannot be compared: its columns are %s on the source, but %s on %s. Make both"
                  + " alike, then verify again.")
              .formatted(
                  id,
                  here.map(table -> types(copy.table()).toString()).orElse("(no table)"),
                  there.map(table -> types(table).toString()).orElse("(no table)"),
                  target.destination()));
    }
    String digest = RowDigest.of(source, copy.table()).sql(algorithm);
    DigestSums digests =
        new DigestSums(source, here.get(), destination, there.get(), copy, target, digest, turns);
    return new TableComparison(source, destination, copy, target, digest, digests, turns);
  }

  /** Who asks for partitions locks them. */
  private static Optional<Table> find(Connection connection, TableId id) throws SQLException {
    BothSides.mark(connection);
    Optional<Table> table = Catalog.find(connection, id);
    BothSides.letGo(connection);
    return table;
  }

  /** The row key's columns, in the order in which differences name their values. */
  public List<String> keyColumns() {
    return key.stream().map(Column::name).toList();
  }

  /** Compares all rows of the moving buckets. */
  public TableResult compare() throws SQLException, InterruptedException {
    // Groups cost a third of the time, and most tables do not differ.
    BothSides<Map<Integer, Sum>> whole = digests.read(false);
    if (whole.source().equals(whole.destination())) {
      long rows = DigestSums.rows(whole.source());
      return result(new DifferenceFinder(!key.isEmpty()), rows, rows);
    }
    BothSides<Map<Integer, Sum>> sums = digests.read(true);
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
      Target some = new Target(target.destination(), differing);
      find(found, digests.blocks(), some, "", List.of());
    }
    return result(found, DigestSums.rows(sums.source()), DigestSums.rows(sums.destination()));
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
      throws SQLException, InterruptedException {
    if (key.isEmpty()) {
      throw new IllegalStateException(copy.table().id() + " has no key");
    }
    DifferenceFinder found = new DifferenceFinder(true);
    int some = turns.isFree() ? Math.max(1, keys.size()) : Turns.RANGE_KEYS;
    for (int from = 0; from < keys.size(); from += some) {
      findKeys(found, columns, keys.subList(from, Math.min(keys.size(), from + some)));
    }
    return result(found, found.sourceRows(), found.destinationRows());
  }

  /** Each row lies in a page of its own, as far as anybody knows. */
  private void findKeys(DifferenceFinder finder, List<String> columns, List<List<String>> keys)
      throws SQLException, InterruptedException {
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
    find(finder, keys.size(), target, condition, lists);
  }

  /**
   * Fetches and merges.
   *
   * @param blocks how many pages it reads on the source
   */
  private void find(
      DifferenceFinder finder,
      long blocks,
      Target where,
      String condition,
      List<List<String>> lists)
      throws SQLException, InterruptedException {
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
    long before = finder.sourceRows();
    try (Turn turn = turns.next(blocks)) {
      BothSides.mark(source);
      BothSides.mark(destination);
      try (KeyedRows left = KeyedRows.open(source, query, width, lists);
          KeyedRows right = KeyedRows.open(destination, query, width, lists)) {
        finder.find(left, right);
      }
      digests.requireUnchanged();
      BothSides.letGo(source);
      BothSides.letGo(destination);
      turn.moved(finder.sourceRows() - before, digests.bytes(blocks));
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

  /** Shard key and primary key, or else what the replica identity's index has; empty without. */
  static List<Column> keyOf(TableCopy copy) {
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

package dev.reshard.apply;

import dev.reshard.apply.LaneException.Problem;
import dev.reshard.change.ChangedTable;
import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.Keyspace;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Catalog;
import dev.reshard.postgres.Column;
import dev.reshard.postgres.ColumnType;
import dev.reshard.postgres.Table;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;

/**
 * The tables of the destination, each read from its catalog when a change of it first comes, and
 * again when the source's table has changed. Confined to the lane's thread; made anew with each
 * connection.
 */
final class DestinationTables {

  /** A deferrable primary key is not checked in our transactions, so it tells no rows apart. */
  private static final String IMMEDIATE_PRIMARY_KEY =
      """
      SELECT 1 FROM pg_index
       WHERE indrelid = ? AND indisprimary AND indimmediate AND indisvalid""";

  private final Connection connection;
  private final LaneConfig config;
  private final Map<TableId, DestinationTable> known = new HashMap<>();

  DestinationTables(Connection connection, LaneConfig config) {
    this.connection = connection;
    this.config = config;
  }

  /**
   * @throws LaneException if the destination's table does not have exactly the changed one's
   *     columns, or its rows cannot be told apart by the shard key too
   */
  DestinationTable get(ChangedTable changed) throws SQLException {
    DestinationTable table = known.get(changed.id());
    if (table == null || !table.table().equals(changed)) {
      table = read(changed);
      known.put(changed.id(), table);
    }
    return table;
  }

  private DestinationTable read(ChangedTable changed) throws SQLException {
    Table table =
        Catalog.find(connection, changed.id())
            .orElseThrow(() -> differs(changed, "the destination has no such table"));
    compare(changed, table);
    Map<String, DestinationTable.Column> columns = columns(table);
    Optional<String> shardKey = shardKey(changed.id());
    OptionalInt place =
        shardKey
            .map(key -> OptionalInt.of(changed.columns().indexOf(key)))
            .orElse(OptionalInt.empty());
    RowKey rowKey = RowKey.of(changed, identifying(table, shardKey));
    if (shardKey.isPresent() && !rowKey.columns().contains(shardKey.get())) {
      throw new LaneException(
          Problem.TABLE_DIFFERS,
          """
          Changes of table %s say of the old row only %s, not the shard key %s: applied, one could \
          meet another bucket's row. Give the table a replica identity that contains the shard key \
          on shard %s ('reshard check --fixes' prints it), and begin again from a new anchor."""
              .formatted(changed.id(), rowKey.columns(), shardKey.get(), config.source()));
    }
    return new DestinationTable(
        changed,
        rowKey,
        changed.columns().stream().map(columns::get).toList(),
        place,
        shardKey.map(key -> inBuckets(key, config.buckets())));
  }

  private Optional<String> shardKey(TableId id) {
    return config.keyspace().sharded().stream()
        .filter(sharded -> sharded.id().equals(id))
        .map(Keyspace.ShardedTable::key)
        .findFirst();
  }

  private String inBuckets(String shardKey, BucketSet buckets) {
    return config.keyspace().partitioning().sqlIn(TableId.quote(shardKey), buckets);
  }

  private List<String> identifying(Table table, Optional<String> shardKey) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(IMMEDIATE_PRIMARY_KEY)) {
      statement.setLong(1, table.oid());
      try (ResultSet row = statement.executeQuery()) {
        if (!row.next()) {
          return List.of();
        }
      }
    }
    if (table.primaryKey().stream().anyMatch(name -> table.column(name).generated())) {
      return List.of(); // changes do not say it
    }
    return Stream.concat(table.primaryKey().stream(), shardKey.stream()).distinct().toList();
  }

  private Map<String, DestinationTable.Column> columns(Table table) throws SQLException {
    Map<String, DestinationTable.Column> columns = new HashMap<>();
    ColumnType.of(connection, table.id())
        .forEach(
            (name, type) -> {
              if (table.hasColumn(name)) {
                columns.put(
                    name,
                    new DestinationTable.Column(name, type, table.column(name).identityAlways()));
              }
            });
    return columns;
  }

  private void compare(ChangedTable changed, Table table) {
    List<String> stored = table.stored().stream().map(Column::name).toList();
    List<String> lacking = new ArrayList<>(changed.columns());
    lacking.removeAll(stored);
    List<String> more = new ArrayList<>(stored);
    more.removeAll(changed.columns());
    if (!lacking.isEmpty() || !more.isEmpty()) {
      throw differs(
          changed,
          Stream.of(
                  lacking.isEmpty() ? "" : "the destination lacks the source's columns " + lacking,
                  more.isEmpty()
                      ? ""
                      : "the destination has columns " + more + " that the source has not")
              .filter(text -> !text.isEmpty())
              .reduce((a, b) -> a + "; " + b)
              .orElseThrow());
    }
  }

  private LaneException differs(ChangedTable changed, String how) {
    return new LaneException(
        Problem.TABLE_DIFFERS,
        """
        Table %s is not the same on %s and %s: %s. Changes from that point on are not applied; those \
        before it are. Run the DDL that the source has seen on the destination too (and on every \
        other shard of the migration), or name the columns under keyspace.tables.ignored_columns in \
        the file and start the worker anew; then 'reshard resume'."""
            .formatted(changed.id(), config.source(), config.destination(), how));
  }
}

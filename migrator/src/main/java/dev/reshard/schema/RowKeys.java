package dev.reshard.schema;

import dev.reshard.control.CleanupRegistry;
import dev.reshard.control.CleanupRegistry.Kind;
import dev.reshard.keyspace.Keyspace;
import dev.reshard.keyspace.Keyspace.ShardedTable;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Catalog;
import dev.reshard.postgres.Column;
import dev.reshard.postgres.ShardSessions;
import dev.reshard.postgres.Table;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Makes every sharded table's replica identity contain the shard key (HAZARDS F1, F2): else a
 * DELETE says only the primary key, and can be neither routed nor dropped, and a table without an
 * identity refuses its application's own UPDATE once it is published. Confined to one thread.
 */
public final class RowKeys {
  /**
   * Below half of PostgreSQL's {@code deadlock_timeout} (1 s), so that a deadlock is never ours.
   */
  private static final String LOCK_TIMEOUT = "400ms";

  private static final int TRIES = 150;

  private final ShardSessions sessions;
  private final CleanupRegistry registry;
  private final String migration;

  public RowKeys(ShardSessions sessions, CleanupRegistry registry, String migration) {
    this.sessions = sessions;
    this.registry = registry;
    this.migration = migration;
  }

  /** Prepares all tables of one shard; what is well already stays as it is. Repeatable. */
  public void prepare(ShardId shard, Keyspace keyspace) throws SQLException, InterruptedException {
    try (Connection connection = sessions.open(shard, "row keys")) {
      for (ShardedTable table : keyspace.sharded()) {
        prepare(connection, shard, Catalog.read(connection, table.id()), table.key());
      }
      for (TableId table : keyspace.reference()) {
        Table found = Catalog.read(connection, table);
        if (!found.identity().isUsable()) {
          setIdentity(connection, shard, found, "FULL");
        }
      }
    }
  }

  private void prepare(Connection connection, ShardId shard, Table table, String key)
      throws SQLException, InterruptedException {
    Table.ReplicaIdentity identity = table.identity();
    if (identity.full() || identity.columns().contains(key)) {
      return;
    }
    boolean canIndex =
        !table.partitioned()
            && !identity.columns().isEmpty()
            && identity.columns().stream().map(table::column).allMatch(Column::notNull);
    if (!canIndex) {
      setIdentity(connection, shard, table, "FULL");
      return;
    }
    List<String> columns = new ArrayList<>(identity.columns());
    columns.add(key);
    String index = "reshard_key_%d_%s".formatted(table.oid(), migration.replace('-', '_'));
    buildIndex(connection, shard, table, index, columns);
    setIdentity(connection, shard, table, "USING INDEX " + TableId.quote(index));
  }

  /** A build that was cut short leaves an invalid index behind: it is dropped and built again. */
  private void buildIndex(
      Connection connection, ShardId shard, Table table, String index, List<String> columns)
      throws SQLException {
    String qualified = TableId.quote(table.id().schema()) + "." + TableId.quote(index);
    registry.register(shard, Kind.INDEX, index, "DROP INDEX CONCURRENTLY IF EXISTS " + qualified);
    try (Statement statement = connection.createStatement()) {
      statement.execute("DROP INDEX CONCURRENTLY IF EXISTS " + qualified);
      statement.execute(
          "CREATE UNIQUE INDEX CONCURRENTLY %s ON %s (%s)"
              .formatted(
                  TableId.quote(index),
                  table.id().quoted(),
                  columns.stream().map(TableId::quote).collect(Collectors.joining(", "))));
    }
  }

  private void setIdentity(Connection connection, ShardId shard, Table table, String identity)
      throws SQLException, InterruptedException {
    String alter = "ALTER TABLE %s REPLICA IDENTITY ".formatted(table.id().quoted());
    registry.register(
        shard, Kind.REPLICA_IDENTITY, table.id().toString(), alter + table.identity().setting());
    politely(connection, alter + identity);
  }

  /**
   * Runs one statement that needs a strong lock on a table, never waiting for it longer than a
   * moment, and again until it gets it.
   *
   * @throws SQLException the last refusal, if others hold the table for minutes
   */
  public static void politely(Connection connection, String sql)
      throws SQLException, InterruptedException {
    for (int attempt = 1; ; attempt++) {
      try (Statement statement = connection.createStatement()) {
        statement.execute("SET lock_timeout = '%s'".formatted(LOCK_TIMEOUT));
        statement.execute(sql);
        statement.execute("SET lock_timeout = 0");
        return;
      } catch (SQLException e) {
        if (!"55P03".equals(e.getSQLState()) || attempt == TRIES) {
          throw e;
        }
        Thread.sleep(Math.min(100L * attempt, 2_000)); // others go first
      }
    }
  }
}

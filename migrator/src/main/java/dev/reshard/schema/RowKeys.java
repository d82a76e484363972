package dev.reshard.schema;

import dev.reshard.control.CleanupRegistry;
import dev.reshard.control.CleanupRegistry.Kind;
import dev.reshard.keyspace.Keyspace;
import dev.reshard.keyspace.Keyspace.ShardedTable;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Catalog;
import dev.reshard.postgres.RowKeyPlan;
import dev.reshard.postgres.ShardSessions;
import dev.reshard.postgres.SqlState;
import dev.reshard.postgres.Table;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;

/**
 * Makes every sharded table's replica identity contain the shard key (HAZARDS F1, F2): else a
 * DELETE says only the primary key, and can be neither routed nor dropped, and a table without an
 * identity refuses its application's own UPDATE once it is published. Confined to one thread.
 */
public final class RowKeys {
  private static final String IDENTITY = " REPLICA IDENTITY ";

  /** The table, or its schema. */
  private static final Set<String> GONE = Set.of("42P01", "3F000");

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
      List<Table> sharded =
          Catalog.readInOrder(
              connection, keyspace.sharded().stream().map(ShardedTable::id).toList());
      for (int i = 0; i < sharded.size(); i++) {
        String key = keyspace.sharded().get(i).key();
        prepare(connection, shard, RowKeyPlan.sharded(sharded.get(i), key));
      }
      for (Table table : Catalog.readInOrder(connection, keyspace.reference())) {
        prepare(connection, shard, RowKeyPlan.reference(table));
      }
    }
  }

  private void prepare(Connection connection, ShardId shard, RowKeyPlan plan)
      throws SQLException, InterruptedException {
    if (plan.isDone()) {
      return;
    }
    String index = "reshard_key_%d_%s".formatted(plan.table().oid(), migration.replace('-', '_'));
    if (plan.kind() == RowKeyPlan.Kind.INDEX) {
      buildIndex(connection, shard, plan, index);
    }
    set(connection, shard, plan.settings(index));
  }

  /**
   * Has partitions, such as new ones, say all that their tables' identities promise; one try for
   * each. Repeatable.
   *
   * @param tables as the shard has them now
   * @return what is in the way of those that do not yet
   */
  public List<String> preparePartitions(ShardId shard, Collection<Table> tables)
      throws SQLException {
    List<String> problems = new ArrayList<>();
    for (Table table : tables) {
      List<RowKeyPlan.Setting> settings = RowKeyPlan.partitions(table).settings("");
      if (settings.isEmpty()) {
        continue;
      }
      try (Connection connection = sessions.open(shard, "row keys")) {
        for (RowKeyPlan.Setting setting : settings) {
          try {
            register(connection, shard, setting);
            StrongLock.once(connection, setting.table().quoted(), setting.sql());
          } catch (SQLException e) {
            if (SqlState.isBroken(e) || SqlState.isLeaseLost(e)) {
              throw e;
            }
            problems.add(
                "partition %s on shard %s: %s failed (%s); it is tried again. Until then an UPDATE or DELETE of its rows is refused, or stops capture: let who holds it end"
                    .formatted(setting.table(), shard, setting.sql(), e.getMessage()));
          }
        }
      }
    }
    return problems;
  }

  /** A build that was cut short leaves an invalid index behind: it is dropped and built again. */
  private void buildIndex(Connection connection, ShardId shard, RowKeyPlan plan, String index)
      throws SQLException {
    String drop =
        "DROP INDEX CONCURRENTLY IF EXISTS %s.%s"
            .formatted(TableId.quote(plan.table().id().schema()), TableId.quote(index));
    registry.register(shard, Kind.INDEX, index, drop);
    boolean alone = isOurs(connection, shard, plan.table().id());
    try (Statement statement = connection.createStatement()) {
      statement.execute(drop);
      if (alone) {
        statement.execute("SET maintenance_work_mem = '%dkB'".formatted(sortingKb(connection)));
      }
      statement.execute(alone ? plan.createIndexWithoutWriters(index) : plan.createIndex(index));
    }
  }

  /** Whether this migration made the table: nobody but us has written to it then. */
  private boolean isOurs(Connection connection, ShardId shard, TableId table) throws SQLException {
    String identity = SchemaObject.identity(ObjectKind.TABLE, name(connection, table));
    return registry.items().stream()
        .anyMatch(
            item ->
                item.kind() == Kind.SCHEMA_OBJECT
                    && item.shard().equals(shard)
                    && item.name().equals(identity));
  }

  /** As {@link SchemaObject} has it. */
  private static String name(Connection connection, TableId table) throws SQLException {
    try (PreparedStatement name = connection.prepareStatement("SELECT format('%I.%I', ?, ?)")) {
      name.setString(1, table.schema());
      name.setString(2, table.name());
      try (ResultSet row = name.executeQuery()) {
        row.next();
        return row.getString(1);
      }
    }
  }

  private static long sortingKb(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("SELECT " + SchemaWriter.SORTING_KB)) {
      row.next();
      return row.getLong(1);
    }
  }

  private void set(Connection connection, ShardId shard, List<RowKeyPlan.Setting> settings)
      throws SQLException, InterruptedException {
    for (RowKeyPlan.Setting setting : settings) {
      register(connection, shard, setting);
      StrongLock.politely(connection, setting.table().quoted(), setting.sql());
    }
  }

  private void register(Connection connection, ShardId shard, RowKeyPlan.Setting setting)
      throws SQLException {
    registry.register(
        shard,
        Kind.REPLICA_IDENTITY,
        name(connection, setting.table()),
        "ALTER TABLE %s%s%s".formatted(setting.table().quoted(), IDENTITY, setting.before()));
  }

  /**
   * Gives a table the replica identity back that it had; a partition may have been dropped since.
   *
   * @param undo what was registered for it
   */
  public static void giveIdentityBack(Connection connection, String undo)
      throws SQLException, InterruptedException {
    String table = undo.substring("ALTER TABLE ".length(), undo.lastIndexOf(IDENTITY));
    try {
      StrongLock.politely(connection, table, undo);
    } catch (SQLException e) {
      if (!GONE.contains(e.getSQLState())) {
        throw e;
      }
    }
  }
}

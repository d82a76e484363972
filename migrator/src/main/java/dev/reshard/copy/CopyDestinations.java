package dev.reshard.copy;

import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Catalog;
import dev.reshard.postgres.Column;
import dev.reshard.postgres.OwnTransaction;
import dev.reshard.postgres.ShardSchema;
import dev.reshard.postgres.ShardSessions;
import dev.reshard.postgres.Table;
import dev.reshard.postgres.WorkerIdentity;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Makes destinations ready for a copy, and takes back what one has loaded. Only rows of moving
 * buckets are ever deleted, and only where this migration saw that there were none before. Not
 * thread-safe.
 */
public final class CopyDestinations {
  private final ShardSessions sessions;
  private final WorkerIdentity worker;

  public CopyDestinations(ShardSessions sessions, WorkerIdentity worker) {
    this.sessions = sessions;
    this.worker = worker;
  }

  /**
   * Before a copy from a new anchor, the first one or a later one: checks that source and
   * destination have the same tables, then empties the moving buckets of what an earlier copy
   * loaded. Nothing is changed anywhere before every table of every destination was checked.
   *
   * @throws CopyException if a table differs, or has rows of moving buckets that are not ours
   */
  public void prepare(CopyPlan plan) throws SQLException {
    Map<ShardId, Connection> open = new TreeMap<>();
    try {
      for (ShardId destination : plan.destinations()) {
        Connection connection = sessions.open(destination, "copy");
        open.put(destination, connection);
        ShardSchema.install(connection, CopyDestinations.class, "copy.sql");
      }
      CopyLedger ledger = ledger(plan);
      for (Map.Entry<ShardId, Connection> each : open.entrySet()) {
        Map<TableId, Table> there =
            Catalog.readAll(
                each.getValue(),
                plan.tablesTo(each.getKey()).stream().map(table -> table.table().id()).toList());
        for (TableCopy table : plan.tablesTo(each.getKey())) {
          check(there, each.getKey(), table.table());
          checkEmpty(each.getValue(), each.getKey(), table, ledger);
        }
      }
      for (Map.Entry<ShardId, Connection> each : open.entrySet()) {
        for (TableCopy table : plan.tablesTo(each.getKey())) {
          clear(each.getValue(), table, table.target(each.getKey()), ledger, true);
        }
      }
    } finally {
      for (Connection connection : open.values()) {
        connection.close();
      }
    }
  }

  /** For cancelling: deletes all that was loaded, and every trace of it. Idempotent. */
  public void clear(CopyPlan plan) throws SQLException {
    for (ShardId destination : plan.destinations()) {
      try (Connection connection = sessions.open(destination, "copy")) {
        ShardSchema.install(connection, CopyDestinations.class, "copy.sql");
        for (TableCopy table : plan.tablesTo(destination)) {
          clear(connection, table, table.target(destination), ledger(plan), false);
        }
      }
    }
  }

  private CopyLedger ledger(CopyPlan plan) {
    return new CopyLedger(worker.migration(), plan.source());
  }

  /** One transaction for a table: its rows and what the ledger says of them go together. */
  private void clear(
      Connection destination, TableCopy table, Target target, CopyLedger ledger, boolean claim)
      throws SQLException {
    TableId id = table.table().id();
    try (OwnTransaction transaction =
            OwnTransaction.begin(destination, worker, OwnTransaction.Durability.SYNCHRONOUS);
        Statement statement = destination.createStatement()) {
      boolean ours = ledger.hasClaimed(destination, id);
      if (ours) {
        statement.executeUpdate(
            "DELETE FROM %s WHERE %s".formatted(id.quoted(), table.whereMoving(target)));
        ledger.removeChunks(destination, id);
      }
      if (claim && !ours) {
        ledger.claim(destination, id);
      } else if (!claim && ours) {
        ledger.removeClaim(destination, id);
      }
      transaction.commit();
    }
  }

  private static void checkEmpty(
      Connection connection, ShardId destination, TableCopy table, CopyLedger ledger)
      throws SQLException {
    TableId id = table.table().id();
    if (ledger.hasClaimed(connection, id)) {
      return;
    }
    String where = table.whereMoving(table.target(destination));
    try (Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                "SELECT FROM %s WHERE %s LIMIT 1".formatted(id.quoted(), where))) {
      if (row.next()) {
        throw new CopyException(
            CopyException.Reason.DESTINATION_NOT_EMPTY,
            ("Destination %s already has rows in %s that belong to buckets about to come from %s,"
                    + " and this migration did not load them. Nothing was loaded or deleted."
                    + " Find out whose they are: SELECT * FROM %s WHERE %s; delete them there, then"
                    + " run again.")
                .formatted(destination, id, ledger.source(), id.quoted(), where));
      }
    }
  }

  /** Columns are matched by name; their order may differ. */
  private static void check(Map<TableId, Table> there, ShardId destination, Table source) {
    Table table = there.get(source.id());
    if (table == null) {
      throw new CopyException(
          CopyException.Reason.TABLES_DIFFER,
          ("Destination %s has no table %s. Nothing was loaded. Create it there as on the source,"
                  + " then run again.")
              .formatted(destination, source.id()));
    }
    List<String> differences = new ArrayList<>();
    for (Column column : source.stored()) {
      if (!table.hasColumn(column.name())) {
        differences.add("column %s is missing".formatted(column.name()));
      } else if (table.column(column.name()).generated()) {
        differences.add("column %s is generated".formatted(column.name()));
      } else if (!table.column(column.name()).type().equals(column.type())) {
        differences.add(
            "column %s is %s, not %s"
                .formatted(column.name(), table.column(column.name()).type(), column.type()));
      }
    }
    for (Column column : table.stored()) {
      if (source.stored().stream().noneMatch(c -> c.name().equals(column.name()))) {
        differences.add("column %s is not stored on the source".formatted(column.name()));
      }
    }
    if (!differences.isEmpty()) {
      throw new CopyException(
          CopyException.Reason.TABLES_DIFFER,
          ("Table %s on destination %s differs from the source: %s. Nothing was loaded. Make both"
                  + " alike, then run again.")
              .formatted(source.id(), destination, String.join("; ", differences)));
    }
  }
}

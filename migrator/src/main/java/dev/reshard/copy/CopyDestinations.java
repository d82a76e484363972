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
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Makes destinations ready for a copy, or for another round of it. Only rows of moving buckets are
 * ever deleted, and only where this migration saw that there were none before. Not thread-safe.
 */
public final class CopyDestinations {

  /**
   * What a lane must know that brings a destination to the next anchor.
   *
   * @param absent tables whose copy begins with the next round: no row of theirs is there
   * @param partial tables of which some rows are there and some are not
   */
  public record Unfinished(Set<TableId> absent, Set<TableId> partial) {}

  private final ShardSessions sessions;
  private final WorkerIdentity worker;

  public CopyDestinations(ShardSessions sessions, WorkerIdentity worker) {
    this.sessions = sessions;
    this.worker = worker;
  }

  /**
   * Before the first round: checks that source and destination have the same tables, then empties
   * the moving buckets of what an earlier copy loaded. Nothing is changed anywhere before every
   * table of every destination was checked.
   *
   * @throws CopyException if a table differs, or has rows of moving buckets that are not ours
   */
  public void prepare(CopyPlan plan) throws SQLException {
    make(plan, OptionalInt.empty());
  }

  /**
   * Before another round: keeps what is there, save what no lane can bring to the next anchor. That
   * is a table without a key that is not complete (HAZARDS F3), and one that was altered, or lost a
   * partition: its rows changed without any message (HAZARDS F5, F6). Of a table that was only
   * written anew, all ranges are copied again, and rows that are there are skipped (HAZARDS F4).
   *
   * @param chunkBlocks how the next round cuts tables, in pages of 8 KiB; what was cut otherwise is
   *     copied again
   * @return by destination
   * @throws CopyException as {@link #prepare}
   */
  public Map<ShardId, Unfinished> again(CopyPlan plan, int chunkBlocks) throws SQLException {
    return make(plan, OptionalInt.of(chunkBlocks));
  }

  /**
   * @param keptBlocks empty: nothing is kept
   */
  private Map<ShardId, Unfinished> make(CopyPlan plan, OptionalInt keptBlocks) throws SQLException {
    Map<ShardId, Connection> open = new TreeMap<>();
    try {
      for (ShardId destination : plan.destinations()) {
        Connection connection = sessions.open(destination, "copy");
        open.put(destination, connection);
        ShardSchema.install(connection, CopyDestinations.class, "copy.sql");
      }
      CopyLedger ledger = new CopyLedger(worker.migration(), plan.source());
      Map<ShardId, Kept> has = new TreeMap<>();
      for (Map.Entry<ShardId, Connection> each : open.entrySet()) {
        ledger.endOthers(each.getValue());
        Kept kept = new Kept(ledger.claims(each.getValue()));
        check(plan, each.getKey(), each.getValue(), kept, ledger);
        has.put(each.getKey(), kept);
      }
      Map<ShardId, Unfinished> unfinished = new TreeMap<>();
      for (Map.Entry<ShardId, Connection> each : open.entrySet()) {
        Connection connection = each.getValue();
        Kept kept = has.get(each.getKey());
        Unfinished of = new Unfinished(new TreeSet<>(), new TreeSet<>());
        for (TableCopy table : plan.tablesTo(each.getKey())) {
          boolean keeps = keptBlocks.isPresent() && kept.canKeep(table.table());
          try (OwnTransaction transaction =
              OwnTransaction.begin(connection, worker, OwnTransaction.Durability.SYNCHRONOUS)) {
            if (keeps) {
              keep(connection, table.table(), kept, of, ledger, keptBlocks.getAsInt());
            } else {
              of.absent().add(table.table().id());
              begin(connection, table, table.target(each.getKey()), kept, ledger);
            }
            transaction.commit();
          }
        }
        unfinished.put(each.getKey(), of);
      }
      return unfinished;
    } finally {
      for (Connection connection : open.values()) {
        connection.close();
      }
    }
  }

  /** What a destination has, as its ledger says. */
  private record Kept(Map<TableId, CopyLedger.Claim> claims) {

    private boolean has(Table table) {
      return claims.containsKey(table.id());
    }

    private boolean canKeep(Table table) {
      CopyLedger.Claim claim = claims.get(table.id());
      return claim != null
          && claim.since().isPresent()
          && claim.shape().equals(table.shape())
          && claim.leaves().areUnaltered(table)
          && (table.isKeyed() || isComplete(table));
    }

    private boolean isComplete(Table table) {
      CopyLedger.Claim claim = claims.get(table.id());
      return claim.complete() && claim.leaves().areAll(table);
    }
  }

  private static void keep(
      Connection connection,
      Table table,
      Kept kept,
      Unfinished unfinished,
      CopyLedger ledger,
      int chunkBlocks)
      throws SQLException {
    boolean complete = kept.isComplete(table);
    ledger.end(connection, table, complete);
    if (!complete) {
      unfinished.partial().add(table.id());
      for (Table.Leaf leaf : table.leaves()) {
        ledger.removeOutdated(connection, leaf.id(), leaf.fileNode(), chunkBlocks);
      }
    }
  }

  /** Its rows and what the ledger says of them go together. */
  private static void begin(
      Connection connection, TableCopy table, Target target, Kept kept, CopyLedger ledger)
      throws SQLException {
    TableId id = table.table().id();
    if (kept.has(table.table())) {
      try (Statement statement = connection.createStatement()) {
        statement.executeUpdate(
            "DELETE FROM %s WHERE %s".formatted(id.quoted(), table.whereMoving(target)));
      }
      ledger.removeChunks(connection, id);
    }
    ledger.claim(connection, table.table());
  }

  private static void check(
      CopyPlan plan, ShardId destination, Connection connection, Kept kept, CopyLedger ledger)
      throws SQLException {
    List<TableCopy> tables = plan.tablesTo(destination);
    Map<TableId, Table> there =
        Catalog.readAll(connection, tables.stream().map(table -> table.table().id()).toList());
    for (TableCopy table : tables) {
      checkAlike(there, destination, table.table());
      if (!kept.has(table.table())) {
        checkEmpty(connection, destination, table, ledger);
      }
    }
  }

  private static void checkEmpty(
      Connection connection, ShardId destination, TableCopy table, CopyLedger ledger)
      throws SQLException {
    TableId id = table.table().id();
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
  private static void checkAlike(Map<TableId, Table> there, ShardId destination, Table source) {
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

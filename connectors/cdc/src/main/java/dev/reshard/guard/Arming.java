package dev.reshard.guard;

import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.Keyspace;
import dev.reshard.keyspace.Keyspace.ShardedTable;
import dev.reshard.keyspace.Move;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.ShardMap;
import dev.reshard.postgres.Catalog;
import dev.reshard.postgres.Table;
import dev.reshard.postgres.WorkerIdentity;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Installs the guards of one keyspace on its shards, hours before they are needed, and takes them
 * away. Repeatable: what is there is left alone, so that a new partition is armed by arming again.
 * Immutable; a call is confined to the thread of its connection, which must be in autocommit.
 *
 * <p>The calls throw {@link TableBusyException} when a table cannot be locked politely; what was
 * done on other tables stays and is found by the next call.
 */
public final class Arming {
  private final Keyspace keyspace;
  private final WorkerIdentity worker;
  private final Patience patience;

  public Arming(Keyspace keyspace, WorkerIdentity worker, Patience patience) {
    this.keyspace = keyspace;
    this.worker = worker;
    this.patience = patience;
  }

  /**
   * Arms a unit's guard: open on its source, closed on a destination. Sequences and functions come
   * first, then the triggers table by table.
   *
   * @param epoch of the shard map as it is
   */
  public void arm(Connection connection, ShardId shard, Unit unit, long epoch) throws SQLException {
    List<Table> tables = tables(connection);
    Registered guard = register(connection, shard, unit, tables, epoch);
    int count = keyspace.partitioning().count();
    execute(
        connection,
        GuardFunction.ofUnit(
            guard.name(), guard.sequences(), shard, count, unit.at(shard), elsewhere(unit, shard)));
    List<String> functions = new ArrayList<>();
    Map<Long, List<Trigger>> triggers = new LinkedHashMap<>();
    for (int i = 0; i < tables.size(); i++) {
      Table table = tables.get(i);
      if (Trigger.needsRowMessages(table)) {
        functions.add(RowMessage.function(table));
      }
      triggers.put(
          table.oid(),
          triggers(guard.name(), table, keyspace.sharded().get(i).key(), unit.at(shard)));
    }
    if (!functions.isEmpty()) {
      execute(connection, String.join(";", functions));
    }
    install(connection, triggers);
  }

  private List<Trigger> triggers(String guard, Table table, String key, BucketSet buckets) {
    List<Trigger> triggers =
        Trigger.guarding(
            prefix(guard), guard, keyspace.partitioning(), key, buckets, worker.marker(), true);
    if (Trigger.needsRowMessages(table)) {
      triggers.add(
          Trigger.emitting(
              prefix(guard),
              RowMessage.functionName(table),
              keyspace.partitioning(),
              key,
              buckets,
              worker.marker()));
    }
    return triggers;
  }

  /**
   * What of an armed guard is not there any more, does not fire for everybody, or tells rows by a
   * key that is not theirs any more: an owner may drop or disable a trigger, a partition that was
   * attached later has none for TRUNCATE, and a table may get another replica identity. Arming
   * again mends it. Changes nothing.
   */
  public List<String> missing(Connection connection, ShardId shard, Unit unit) throws SQLException {
    Optional<String> guard = name(connection, unit);
    if (guard.isEmpty()) {
      return List.of("the guard of unit " + unit.name());
    }
    List<String> missing = new ArrayList<>();
    List<Table> tables = tables(connection);
    Map<Long, Tree> trees = Tree.all(connection, tables.stream().map(Table::oid).toList());
    InstalledTriggers installed = InstalledTriggers.read(connection, trees.values());
    Map<String, String> sources = rowFunctions(connection);
    for (int i = 0; i < tables.size(); i++) {
      Table table = tables.get(i);
      if (Trigger.needsRowMessages(table)
          && !RowMessage.source(table).equals(sources.get(RowMessage.functionName(table)))) {
        missing.add("the function that tells rows of %s by their key".formatted(table.id()));
      }
      Tree tree = trees.get(table.oid());
      String key = keyspace.sharded().get(i).key();
      for (Trigger trigger : triggers(guard.get(), table, key, unit.at(shard))) {
        if (tree == null || !installed.has(tree, trigger)) {
          missing.add("trigger %s of %s".formatted(trigger.name(), table.id()));
        }
      }
    }
    return missing;
  }

  /** The functions that tell rows, each with its source. */
  private static Map<String, String> rowFunctions(Connection connection) throws SQLException {
    Map<String, String> sources = new HashMap<>();
    try (Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                """
                SELECT proname, prosrc FROM pg_proc
                 WHERE pronamespace = 'reshard'::regnamespace AND starts_with(proname, 'row_')""")) {
      while (row.next()) {
        sources.put(row.getString(1), row.getString(2));
      }
    }
    return sources;
  }

  private static Optional<String> name(Connection connection, Unit unit) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(
            "SELECT 'guard_' || id FROM reshard.guard WHERE migration = ? AND unit = ? AND NOT disarming")) {
      statement.setString(1, unit.migration());
      statement.setString(2, unit.name());
      try (ResultSet row = statement.executeQuery()) {
        return row.next() ? Optional.of(row.getString(1)) : Optional.empty();
      }
    }
  }

  /**
   * Guards the buckets that {@code shard} does not own and that are in no unit armed on it, or sets
   * this group right after units were armed or disarmed. While a unit is armed it is all of them
   * (HAZARDS F29), else those that left this shard through a seal.
   *
   * @param map as it is
   */
  public void armOutside(Connection connection, ShardId shard, ShardMap map) throws SQLException {
    new Outside(keyspace, worker, this::install, this::drop).set(connection, shard, map);
  }

  /**
   * Takes a unit's guard away. If it is closed by a seal, its buckets stay guarded by the group of
   * {@link #armOutside}, which is set right first; {@link Outside#remaining} lists them.
   *
   * @param map as it is
   * @throws SQLException with SQLSTATE {@code RS004} if the guard is fenced: lift it first
   */
  public void disarm(Connection connection, ShardId shard, Unit unit, ShardMap map)
      throws SQLException {
    Outside outside = new Outside(keyspace, worker, this::install, this::drop);
    int id;
    Long[] roots;
    try (PreparedStatement statement =
        connection.prepareStatement("SELECT * FROM reshard.guard_disarm(?, ?, ?)")) {
      statement.setString(1, unit.migration());
      statement.setString(2, unit.name());
      statement.setLong(3, worker.lease());
      try (ResultSet row = statement.executeQuery()) {
        if (!row.next()) {
          return;
        }
        id = row.getInt("id");
        roots = (Long[]) row.getArray("tables").getArray();
        BucketSet buckets = BucketSet.fromHex(row.getString("buckets"));
        if (row.getBoolean("left")) {
          outside.remember(connection, buckets);
        } else if (row.getBoolean("came")) {
          outside.forget(connection, buckets);
        }
      }
    }
    outside.set(connection, shard, map);
    for (long root : roots) {
      drop(connection, root, prefix("guard_" + id));
    }
    new PoliteDdl(connection, patience)
        .run(
            keyspace.sharded().get(0).id(),
            List.of(),
            PoliteDdl.KEEPS_ALL_OUT,
            List.of("SELECT reshard.guard_forget(%d)".formatted(id)));
  }

  /** Takes away what {@link #disarm} leaves: also buckets that left are unguarded then. */
  public void dropOutside(Connection connection) throws SQLException {
    new Outside(keyspace, worker, this::install, this::drop).drop(connection, false);
  }

  private List<Table> tables(Connection connection) throws SQLException {
    return Catalog.readInOrder(
        connection, keyspace.sharded().stream().map(ShardedTable::id).toList());
  }

  private record Registered(String name, GuardFunction.Sequences sequences) {}

  private Registered register(
      Connection connection, ShardId shard, Unit unit, List<Table> tables, long epoch)
      throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(
            "SELECT (g).id, (g).until_seq, (g).broken_seq, (g).sealed_seq, (g).epoch_seq"
                + " FROM (SELECT reshard.guard_register(?, ?, ?, ?, ?, ?, ?, ?) g OFFSET 0) r")) {
      statement.setString(1, keyspace.name());
      statement.setString(2, unit.migration());
      statement.setString(3, unit.name());
      statement.setLong(4, worker.lease());
      statement.setString(5, unit.at(shard).toHex(keyspace.partitioning().count()));
      statement.setArray(
          6, connection.createArrayOf("oid", tables.stream().map(Table::oid).toArray()));
      statement.setBoolean(7, !shard.equals(unit.source()));
      statement.setLong(8, epoch);
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return new Registered(
            "guard_" + row.getInt(1),
            new GuardFunction.Sequences(
                row.getLong(2), row.getLong(3), row.getLong(4), row.getLong(5)));
      }
    }
  }

  private static Map<ShardId, BucketSet> elsewhere(Unit unit, ShardId shard) {
    Map<ShardId, BucketSet> owners = new TreeMap<>();
    for (Move move : unit.moves()) {
      if (move.source().equals(shard)) {
        owners.merge(move.destination(), move.buckets(), BucketSet::plus);
      } else if (move.destination().equals(shard)) {
        owners.merge(move.source(), move.buckets(), BucketSet::plus);
      }
    }
    return owners;
  }

  /** Makes triggers on tables by OID, one polite call a table, unless they are there already. */
  private void install(Connection connection, Map<Long, List<Trigger>> byTable)
      throws SQLException {
    Map<Long, Tree> trees = Tree.all(connection, byTable.keySet());
    InstalledTriggers installed = InstalledTriggers.read(connection, trees.values());
    for (Map.Entry<Long, List<Trigger>> table : byTable.entrySet()) {
      Tree tree = trees.get(table.getKey());
      if (tree == null) {
        throw new SQLException("table with OID " + table.getKey() + " is gone", "42P01");
      }
      List<String> statements = new ArrayList<>();
      for (Trigger trigger : table.getValue()) {
        if (!installed.has(tree, trigger)) {
          statements.addAll(trigger.create(tree));
        }
      }
      if (!statements.isEmpty()) {
        new PoliteDdl(connection, patience)
            .run(tree.root(), tree.relations(), PoliteDdl.KEEPS_WRITERS_OUT, statements);
      }
    }
  }

  /**
   * Drops the triggers of a guard from one table; nothing happens if table or triggers are gone.
   */
  private void drop(Connection connection, long oid, String prefix) throws SQLException {
    Tree tree = Tree.of(connection, oid).orElse(null);
    if (tree == null) {
      return;
    }
    List<String> statements = new ArrayList<>();
    try (PreparedStatement statement =
        connection.prepareStatement(
            """
            SELECT format('DROP TRIGGER %I ON %s', t.tgname, t.tgrelid::regclass) FROM pg_trigger t
             WHERE t.tgrelid IN (SELECT r::regclass FROM unnest(?) r) AND t.tgparentid = 0
               AND starts_with(t.tgname, ?)""")) {
      statement.setArray(1, connection.createArrayOf("text", tree.relations().toArray()));
      statement.setString(2, prefix + "_");
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          statements.add(row.getString(1));
        }
      }
    }
    if (!statements.isEmpty()) {
      new PoliteDdl(connection, patience)
          .run(tree.root(), tree.relations(), PoliteDdl.KEEPS_ALL_OUT, statements);
    }
  }

  /** What the names of a guard's triggers begin with; no two guards' prefixes begin each other. */
  static String prefix(String guardName) {
    return "reshard_" + guardName;
  }

  static void execute(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }
}

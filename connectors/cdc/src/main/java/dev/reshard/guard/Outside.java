package dev.reshard.guard;

import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.Keyspace;
import dev.reshard.keyspace.Keyspace.ShardedTable;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.ShardMap;
import dev.reshard.postgres.Catalog;
import dev.reshard.postgres.Table;
import dev.reshard.postgres.WorkerIdentity;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The guard of a keyspace's buckets that a shard does not own and that are in no unit: it refuses
 * every write (HAZARDS F29). Its WHEN holds the buckets, so a change of them replaces triggers, one
 * polite call per table. Confined to the thread of the connection.
 */
public final class Outside {
  /** Makes triggers on tables, by OID, unless they are there. */
  interface Installer {
    void install(Connection connection, Map<Long, List<Trigger>> byTable) throws SQLException;
  }

  /** Drops the triggers with a prefix from the table with an OID. */
  interface Dropper {
    void drop(Connection connection, long table, String prefix) throws SQLException;
  }

  private final Keyspace keyspace;
  private final WorkerIdentity worker;
  private final Installer installer;
  private final Dropper dropper;

  Outside(Keyspace keyspace, WorkerIdentity worker, Installer installer, Dropper dropper) {
    this.keyspace = keyspace;
    this.worker = worker;
    this.installer = installer;
    this.dropper = dropper;
  }

  /**
   * What stays on a shard after a migration, on purpose. Immutable.
   *
   * @param buckets of which no write is accepted, because they left this shard
   * @param tables that have the triggers
   */
  public record Remaining(String keyspace, BucketSet buckets, List<String> tables) {
    public Remaining {
      tables = List.copyOf(tables);
    }
  }

  /** The groups that are on a shard now. */
  public static List<Remaining> remaining(Connection connection) throws SQLException {
    List<Remaining> remaining = new ArrayList<>();
    try (PreparedStatement statement =
            connection.prepareStatement(
                """
                SELECT o.keyspace, o.buckets,
                       ARRAY(SELECT t::regclass::text FROM unnest(o.tables) t ORDER BY 1)
                  FROM reshard.guard_outside o WHERE o.buckets <> '' ORDER BY 1""");
        ResultSet row = statement.executeQuery()) {
      while (row.next()) {
        remaining.add(
            new Remaining(
                row.getString(1),
                BucketSet.fromHex(row.getString(2)),
                List.of((String[]) row.getArray(3).getArray())));
      }
    }
    return remaining;
  }

  void set(Connection connection, ShardId shard, ShardMap map) throws SQLException {
    BucketSet units = BucketSet.empty();
    boolean armed = false;
    try (PreparedStatement statement =
        connection.prepareStatement(
            "SELECT buckets FROM reshard.guard WHERE keyspace = ? AND NOT disarming")) {
      statement.setString(1, keyspace.name());
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          armed = true;
          units = units.plus(BucketSet.fromHex(row.getString(1)));
        }
      }
    }
    BucketSet foreign = map.bucketsOf(shard).complement(map.count());
    BucketSet buckets =
        armed ? foreign.minus(units) : foreign.minus(foreign.minus(departed(connection)));
    if (buckets.isEmpty()) {
      drop(connection, true);
    } else {
      guard(connection, shard, map, buckets);
    }
  }

  /** Buckets left this shard: they stay guarded when no unit is armed any more. */
  void remember(Connection connection, BucketSet buckets) throws SQLException {
    store(connection, departed(connection).plus(buckets));
  }

  /** Buckets came to this shard. */
  void forget(Connection connection, BucketSet buckets) throws SQLException {
    store(connection, departed(connection).minus(buckets));
  }

  private void store(Connection connection, BucketSet departed) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(
            """
            INSERT INTO reshard.guard_outside (keyspace, buckets, departed, tables)
              VALUES (?, '', ?, '{}')
              ON CONFLICT (keyspace) DO UPDATE SET departed = excluded.departed""")) {
      statement.setString(1, keyspace.name());
      statement.setString(2, departed.toHex(keyspace.partitioning().count()));
      statement.execute();
    }
  }

  private BucketSet departed(Connection connection) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(
            "SELECT departed FROM reshard.guard_outside WHERE keyspace = ?")) {
      statement.setString(1, keyspace.name());
      try (ResultSet row = statement.executeQuery()) {
        return row.next() ? BucketSet.fromHex(row.getString(1)) : BucketSet.empty();
      }
    }
  }

  private void guard(Connection connection, ShardId shard, ShardMap map, BucketSet buckets)
      throws SQLException {
    int count = map.count();
    List<Long> tables =
        Catalog.readInOrder(connection, keyspace.sharded().stream().map(ShardedTable::id).toList())
            .stream()
            .map(Table::oid)
            .toList();
    String name;
    try (PreparedStatement statement =
        connection.prepareStatement(
            """
            INSERT INTO reshard.guard_outside AS o (keyspace, buckets, departed, tables)
              VALUES (?, ?, '', ?)
              ON CONFLICT (keyspace) DO UPDATE SET buckets = excluded.buckets, tables = excluded.tables
              RETURNING id""")) {
      statement.setString(1, keyspace.name());
      statement.setString(2, buckets.toHex(count));
      statement.setArray(3, connection.createArrayOf("oid", tables.toArray()));
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        name = "outside_" + row.getInt(1);
      }
    }
    SortedMap<ShardId, BucketSet> owners = new TreeMap<>();
    map.byShard().forEach((owner, owned) -> owners.put(owner, owned.minus(owned.minus(buckets))));
    owners.values().removeIf(BucketSet::isEmpty);
    Arming.execute(
        connection,
        GuardFunction.ofOutside(name, map.epoch(), shard, count, buckets, Map.copyOf(owners)));
    Map<Long, List<Trigger>> triggers = new LinkedHashMap<>();
    for (int i = 0; i < tables.size(); i++) {
      triggers.put(
          tables.get(i),
          Trigger.guarding(
              Arming.prefix(name),
              name,
              keyspace.partitioning(),
              keyspace.sharded().get(i).key(),
              buckets,
              worker.marker(),
              false));
    }
    installer.install(connection, triggers);
  }

  /**
   * Drops the group's triggers.
   *
   * @param remembering which buckets left, if any did, for when no unit is armed any more
   */
  void drop(Connection connection, boolean remembering) throws SQLException {
    int id;
    Long[] tables;
    try (PreparedStatement statement =
        connection.prepareStatement(
            "SELECT id, tables FROM reshard.guard_outside WHERE keyspace = ?")) {
      statement.setString(1, keyspace.name());
      try (ResultSet row = statement.executeQuery()) {
        if (!row.next()) {
          return;
        }
        id = row.getInt(1);
        tables = (Long[]) row.getArray(2).getArray();
      }
    }
    for (long table : tables) {
      dropper.drop(connection, table, Arming.prefix("outside_" + id));
    }
    Arming.execute(connection, "DROP FUNCTION IF EXISTS reshard.outside_%d()".formatted(id));
    boolean keep = remembering && !departed(connection).isEmpty();
    try (PreparedStatement statement =
        connection.prepareStatement(
            (keep
                    ? "UPDATE reshard.guard_outside SET buckets = '', tables = '{}'"
                    : "DELETE FROM reshard.guard_outside")
                + " WHERE keyspace = ?")) {
      statement.setString(1, keyspace.name());
      statement.execute();
    }
  }
}

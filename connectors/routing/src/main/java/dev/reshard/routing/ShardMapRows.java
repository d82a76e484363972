package dev.reshard.routing;

import dev.reshard.keyspace.Move;
import dev.reshard.keyspace.Partitioning;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.ShardMap;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** The statements of {@link ShardMapStore}; none begins or ends a transaction. Stateless. */
final class ShardMapRows {
  private ShardMapRows() {}

  static void install(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      // the lock that everybody takes who makes objects in schema reshard
      statement.execute("SELECT pg_advisory_xact_lock(7235414);\n" + script());
    }
  }

  static boolean isInstalled(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery("SELECT to_regclass('reshard.shard_map') IS NOT NULL")) {
      row.next();
      return row.getBoolean(1);
    }
  }

  /** The stored map if its epoch is higher than {@code epoch}. */
  static Optional<StoredMap> loadNewer(Connection connection, String keyspace, long epoch)
      throws SQLException {
    // one statement, so one snapshot: epoch and owners belong together
    try (PreparedStatement statement =
        connection.prepareStatement(
            """
            SELECT k.partitioning, k.epoch,
                   array_agg(m.owner ORDER BY m.bucket), array_agg(m.epoch ORDER BY m.bucket)
              FROM reshard.keyspace k JOIN reshard.shard_map m ON m.keyspace = k.name
             WHERE k.name = ? AND k.epoch > ?
             GROUP BY k.name""")) {
      statement.setString(1, keyspace);
      statement.setLong(2, epoch);
      try (ResultSet row = statement.executeQuery()) {
        if (!row.next()) {
          return Optional.empty();
        }
        String[] owners = (String[]) row.getArray(3).getArray();
        Long[] since = (Long[]) row.getArray(4).getArray();
        return Optional.of(
            new StoredMap(
                keyspace,
                row.getString(1),
                new ShardMap(row.getLong(2), Arrays.stream(owners).map(ShardId::new).toList()),
                List.of(since)));
      }
    }
  }

  /** Stores a map; nothing if the keyspace has one. */
  static void insert(
      Connection connection, String keyspace, Partitioning partitioning, ShardMap map)
      throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(
            """
            WITH adopted AS (
              INSERT INTO reshard.keyspace (name, partitioning, buckets, epoch) VALUES (?, ?, ?, ?)
                ON CONFLICT (name) DO NOTHING RETURNING name, epoch)
            INSERT INTO reshard.shard_map (keyspace, bucket, owner, epoch)
              SELECT a.name, o.ordinality - 1, o.owner, a.epoch
                FROM adopted a, unnest(?::text[]) WITH ORDINALITY AS o (owner, ordinality)""")) {
      statement.setString(1, keyspace);
      statement.setString(2, partitioning.describe());
      statement.setInt(3, map.count());
      statement.setLong(4, map.epoch());
      statement.setArray(
          5, connection.createArrayOf("text", map.owners().stream().map(ShardId::name).toArray()));
      statement.executeUpdate();
    }
  }

  /** Stores the keys of a directory; nothing if the keyspace has some. */
  static void insertKeys(Connection connection, String keyspace, List<String> keys)
      throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(
            """
            INSERT INTO reshard.directory (keyspace, bucket, key)
              SELECT ?, k.ordinality - 1, k.key
                FROM unnest(?::text[]) WITH ORDINALITY AS k (key, ordinality)
               WHERE NOT EXISTS (SELECT FROM reshard.directory d WHERE d.keyspace = ?)""")) {
      statement.setString(1, keyspace);
      statement.setArray(2, connection.createArrayOf("text", keys.toArray()));
      statement.setString(3, keyspace);
      statement.executeUpdate();
    }
  }

  /** The keys of a directory, in the order of their buckets. */
  static List<String> keys(Connection connection, String keyspace) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(
            "SELECT key FROM reshard.directory WHERE keyspace = ? ORDER BY bucket")) {
      statement.setString(1, keyspace);
      List<String> keys = new ArrayList<>();
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          keys.add(row.getString(1));
        }
      }
      return keys;
    }
  }

  /** Lets no other transaction change the keyspace's map until this one ends. */
  static void lock(Connection connection, String keyspace) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement("SELECT FROM reshard.keyspace WHERE name = ? FOR UPDATE")) {
      statement.setString(1, keyspace);
      statement.execute();
    }
  }

  static void setOwner(Connection connection, String keyspace, Move move, long epoch)
      throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(
            "UPDATE reshard.shard_map SET owner = ?, epoch = ?"
                + " WHERE keyspace = ? AND bucket = ANY (?)")) {
      statement.setString(1, move.destination().name());
      statement.setLong(2, epoch);
      statement.setString(3, keyspace);
      statement.setArray(
          4, connection.createArrayOf("int4", move.buckets().stream().boxed().toArray()));
      statement.executeUpdate();
    }
  }

  static void setEpoch(Connection connection, String keyspace, long epoch) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement("UPDATE reshard.keyspace SET epoch = ? WHERE name = ?")) {
      statement.setLong(1, epoch);
      statement.setString(2, keyspace);
      statement.executeUpdate();
    }
  }

  private static String script() {
    try (InputStream in = ShardMapRows.class.getResourceAsStream("routing.sql")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read routing.sql", e);
    }
  }
}

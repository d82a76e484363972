package dev.reshard.routing;

import dev.reshard.keyspace.DirectoryBuckets;
import dev.reshard.keyspace.Move;
import dev.reshard.keyspace.Moves;
import dev.reshard.keyspace.Partitioning;
import dev.reshard.keyspace.ShardMap;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Collection;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * The shard maps in the control database. Stateless.
 *
 * <p>Every method works on a connection of the control database and leaves its transaction as it
 * found it: one in autocommit gets a transaction for the call, any other takes part in the
 * caller's.
 */
public final class ShardMapStore {
  /** How much of a list of buckets an error shows. */
  private static final int SHOWN = 120;

  private ShardMapStore() {}

  /** Makes schema, tables and view, where they are missing. Two callers at a time are safe. */
  public static void install(Connection connection) throws SQLException {
    inTransaction(
        connection,
        () -> {
          ShardMapRows.install(connection);
          return null;
        });
  }

  /**
   * Stores a keyspace's first map; doing it again changes nothing. Tables are made where they are
   * missing.
   *
   * @param map its epoch is only taken when nothing is stored yet
   * @return the stored map
   * @throws MapConflictException if another partitioning or other owners are stored
   */
  public static StoredMap adopt(
      Connection connection, String keyspace, Partitioning partitioning, ShardMap map)
      throws SQLException {
    if (partitioning.count() != map.count()) {
      throw new IllegalArgumentException(
          "%s has %d buckets, but the map has %d"
              .formatted(partitioning.describe(), partitioning.count(), map.count()));
    }
    install(connection);
    return inTransaction(
        connection,
        () -> {
          ShardMapRows.insert(connection, keyspace, partitioning, map);
          StoredMap stored = known(connection, keyspace);
          refuseOther(stored, partitioning);
          if (partitioning instanceof DirectoryBuckets directory) {
            ShardMapRows.insertKeys(connection, keyspace, directory.keys());
            if (!ShardMapRows.keys(connection, keyspace).equals(directory.keys())) {
              throw new MapConflictException(
                  "keyspace %s: the directory has other keys than when the keyspace was adopted; the stored ones stay"
                      .formatted(keyspace));
            }
          }
          if (!stored.map().owners().equals(map.owners())) {
            throw new MapConflictException(
                "keyspace %s: the given map is not the stored one (epoch %d), which stays: %s"
                    .formatted(keyspace, stored.map().epoch(), differences(stored.map(), map)));
          }
          return stored;
        });
  }

  /**
   * A partitioning with the keys that are stored of it, if it is a directory; else as it is.
   *
   * @throws IllegalArgumentException if none are stored
   */
  public static Partitioning withKeys(
      Connection connection, String keyspace, Partitioning partitioning) throws SQLException {
    return partitioning instanceof DirectoryBuckets directory && !directory.isRead()
        ? directory.withKeys(ShardMapRows.keys(connection, keyspace))
        : partitioning;
  }

  /** The stored map; empty if the keyspace, or the schema, is not there. */
  public static Optional<StoredMap> load(Connection connection, String keyspace)
      throws SQLException {
    return ShardMapRows.isInstalled(connection)
        ? ShardMapRows.loadNewer(connection, keyspace, 0)
        : Optional.empty();
  }

  /** The stored map if its epoch is higher than {@code epoch}. */
  public static Optional<StoredMap> loadNewer(Connection connection, String keyspace, long epoch)
      throws SQLException {
    return ShardMapRows.loadNewer(connection, keyspace, epoch);
  }

  /**
   * Gives the buckets of {@code moves} to their destinations, at {@code expectedEpoch + 1}; doing
   * it again changes nothing.
   *
   * @return the stored map
   * @throws MapConflictException if the stored epoch is another, or a bucket is not its source's
   */
  public static StoredMap move(
      Connection connection, String keyspace, Collection<Move> moves, long expectedEpoch)
      throws SQLException {
    return inTransaction(
        connection,
        () -> {
          ShardMapRows.lock(connection, keyspace);
          StoredMap stored = known(connection, keyspace);
          long epoch = expectedEpoch + 1;
          if (stored.map().epoch() == epoch && isDone(stored, moves)) {
            return stored;
          }
          refuseUnless(stored, moves, expectedEpoch);
          for (Move move : moves) {
            ShardMapRows.setOwner(connection, keyspace, move, epoch);
          }
          ShardMapRows.setEpoch(connection, keyspace, epoch);
          return known(connection, keyspace);
        });
  }

  /**
   * @throws MapConflictException if the map was stored with another partitioning
   */
  static void refuseOther(StoredMap stored, Partitioning partitioning) {
    if (!stored.partitioning().equals(partitioning.describe())) {
      throw new MapConflictException(
          "keyspace %s is stored as '%s', but '%s' was given: rows would be looked for where they are not. Give the stored one."
              .formatted(stored.keyspace(), stored.partitioning(), partitioning.describe()));
    }
  }

  private static void refuseUnless(StoredMap stored, Collection<Move> moves, long expectedEpoch) {
    ShardMap map = stored.map();
    if (map.epoch() != expectedEpoch) {
      throw new MapConflictException(
          "keyspace %s is at epoch %d, not %d: somebody else changed the map; nothing was changed"
              .formatted(stored.keyspace(), map.epoch(), expectedEpoch));
    }
    for (Move move : moves) {
      if (!move.buckets().minus(map.bucketsOf(move.source())).isEmpty()) {
        throw new MapConflictException(
            "keyspace %s: buckets %s do not belong to %s; nothing was changed"
                .formatted(
                    stored.keyspace(),
                    shown(move.buckets().minus(map.bucketsOf(move.source()))),
                    move.source()));
      }
    }
  }

  private static boolean isDone(StoredMap stored, Collection<Move> moves) {
    return moves.stream()
        .allMatch(
            move ->
                move.buckets().stream()
                    .allMatch(
                        bucket ->
                            stored.map().ownerOf(bucket).equals(move.destination())
                                && stored.since().get(bucket) == stored.map().epoch()));
  }

  private static String differences(ShardMap stored, ShardMap given) {
    return Moves.between(stored, given).all().stream()
        .map(
            move ->
                "buckets %s belong to %s, given as %s's"
                    .formatted(shown(move.buckets()), move.source(), move.destination()))
        .collect(Collectors.joining("; "));
  }

  private static String shown(Object buckets) {
    String text = buckets.toString();
    return text.length() <= SHOWN ? text : text.substring(0, SHOWN) + " ..";
  }

  private static StoredMap known(Connection connection, String keyspace) throws SQLException {
    return ShardMapRows.loadNewer(connection, keyspace, 0)
        .orElseThrow(() -> new MapConflictException("no keyspace " + keyspace + " is stored"));
  }

  private interface Work<T> {
    T run() throws SQLException;
  }

  private static <T> T inTransaction(Connection connection, Work<T> work) throws SQLException {
    if (!connection.getAutoCommit()) {
      return work.run();
    }
    connection.setAutoCommit(false);
    try {
      T result = work.run();
      connection.commit();
      return result;
    } catch (SQLException | RuntimeException e) {
      connection.rollback();
      throw e;
    } finally {
      connection.setAutoCommit(true);
    }
  }
}

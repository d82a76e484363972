package dev.reshard.apply;

import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.ShardId;
import dev.reshard.postgres.Lsn;
import dev.reshard.postgres.ServerIdentity;
import dev.reshard.postgres.ShardSchema;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.sql.Types;
import java.time.Instant;
import java.util.Optional;

/**
 * The rows of {@code reshard.lane}: how far each lane that ends in a database has come, and which
 * buckets it must not apply any more. Stateless; confined to the thread of the connection.
 */
public final class LaneProgress {

  /**
   * What is stored of a lane. Immutable.
   *
   * @param muteChanges grows with every change of {@code muted}
   * @param lastToken of the fence whose token was applied last
   */
  public record Stored(
      LanePosition position, BucketSet muted, long muteChanges, Optional<String> lastToken) {}

  private LaneProgress() {}

  /** Makes the tables in the destination's schema {@code reshard}; repeatable. */
  public static void install(Connection connection) throws SQLException {
    ShardSchema.install(connection, LaneProgress.class, "apply.sql");
  }

  /**
   * Stores where a new lane starts; if the lane is stored already, nothing changes.
   *
   * @param start what the destination already has of the source: all that committed up to there
   */
  public static void create(
      Connection connection, String migration, ShardId source, LanePosition start)
      throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(
            """
            INSERT INTO reshard.lane
                   (migration, source, applied, incarnation, next_offset, system, timeline)
            VALUES (?, ?, ?::pg_lsn, ?, ?, ?, ?) ON CONFLICT (migration, source) DO NOTHING""")) {
      statement.setString(1, migration);
      statement.setString(2, source.name());
      statement.setString(3, start.applied().toString());
      statement.setLong(4, start.incarnation());
      statement.setLong(5, start.nextOffset());
      setServer(statement, 6, start);
      statement.executeUpdate();
    }
  }

  /** Takes a lane out: its rows are deleted, or the migration is over. */
  public static void forget(Connection connection, String migration, ShardId source)
      throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(
            "DELETE FROM reshard.lane WHERE migration = ? AND source = ?")) {
      statement.setString(1, migration);
      statement.setString(2, source.name());
      statement.executeUpdate();
    }
  }

  /** Empty if no such lane ends here. */
  public static Optional<Stored> find(Connection connection, String migration, ShardId source)
      throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(
            """
            SELECT incarnation, applied, next_offset, encode(muted, 'hex'), mute_changes, last_token,
                   system, timeline
              FROM reshard.lane WHERE migration = ? AND source = ?""")) {
      statement.setString(1, migration);
      statement.setString(2, source.name());
      try (ResultSet row = statement.executeQuery()) {
        return row.next()
            ? Optional.of(
                new Stored(
                    new LanePosition(
                        row.getLong(1),
                        Lsn.parse(row.getString(2)),
                        row.getLong(3),
                        server(row.getString(7), row.getInt(8))),
                    BucketSet.fromHex(row.getString(4)),
                    row.getLong(5),
                    Optional.ofNullable(row.getString(6))))
            : Optional.empty();
      }
    }
  }

  /**
   * From the commit of the caller's transaction on the lane refuses changes of {@code buckets}:
   * they have left its source. Waits for the lane's batch in flight.
   *
   * @throws SQLException with SQLSTATE {@code RS003} if there is no such lane
   */
  public static void mute(
      Connection connection, String migration, ShardId source, BucketSet buckets)
      throws SQLException {
    setMuted(connection, migration, source, buckets, true);
  }

  /** The opposite of {@link #mute}: the buckets' changes are applied again. */
  public static void unmute(
      Connection connection, String migration, ShardId source, BucketSet buckets)
      throws SQLException {
    setMuted(connection, migration, source, buckets, false);
  }

  private static void setMuted(
      Connection connection, String migration, ShardId source, BucketSet buckets, boolean mute)
      throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement("SELECT reshard.mute_lane(?, ?, ?, ?)")) {
      statement.setString(1, migration);
      statement.setString(2, source.name());
      statement.setArray(
          3, connection.createArrayOf("int4", buckets.stream().boxed().toArray(Integer[]::new)));
      statement.setBoolean(4, mute);
      statement.execute();
    }
  }

  /**
   * Moves a lane's position in the transaction of its data, and keeps the row locked until its end,
   * so that nobody mutes a bucket under a batch.
   *
   * @param token the last fence token in between, if any
   * @param committed when the transaction at {@code to} committed on the source
   * @return {@link Stored#muteChanges}; empty if the lane is not at {@code from}
   */
  static Optional<Long> advance(
      Connection connection,
      LaneConfig lane,
      LanePosition from,
      LanePosition to,
      Optional<String> token,
      Instant committed)
      throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(
            """
            UPDATE reshard.lane SET applied = ?::pg_lsn, incarnation = ?, next_offset = ?,
                   system = ?, timeline = ?, last_token = coalesce(?, last_token), last_commit = ?,
                   updated = clock_timestamp()
             WHERE migration = ? AND source = ? AND applied = ?::pg_lsn
            RETURNING mute_changes""")) {
      statement.setString(1, to.applied().toString());
      statement.setLong(2, to.incarnation());
      statement.setLong(3, to.nextOffset());
      setServer(statement, 4, to);
      statement.setString(6, token.orElse(null));
      statement.setTimestamp(7, Timestamp.from(committed));
      statement.setString(8, lane.migration());
      statement.setString(9, lane.source().name());
      statement.setString(10, from.applied().toString());
      try (ResultSet row = statement.executeQuery()) {
        return row.next() ? Optional.of(row.getLong(1)) : Optional.empty();
      }
    }
  }

  private static void setServer(PreparedStatement statement, int place, LanePosition position)
      throws SQLException {
    statement.setString(place, position.server().map(ServerIdentity::system).orElse(null));
    statement.setObject(
        place + 1, position.server().map(ServerIdentity::timeline).orElse(null), Types.INTEGER);
  }

  /** Empty in a row that an older version of ours wrote. */
  private static Optional<ServerIdentity> server(String system, int timeline) {
    return Optional.ofNullable(system).map(known -> new ServerIdentity(known, timeline));
  }

  /** Writes the row as it is: with a synchronous commit all that was applied before is durable. */
  static void touch(Connection connection, LaneConfig lane) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(
            "UPDATE reshard.lane SET updated = clock_timestamp() WHERE migration = ? AND source = ?")) {
      statement.setString(1, lane.migration());
      statement.setString(2, lane.source().name());
      statement.executeUpdate();
    }
  }
}

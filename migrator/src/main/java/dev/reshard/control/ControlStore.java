package dev.reshard.control;

import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.Move;
import dev.reshard.keyspace.Moves;
import dev.reshard.keyspace.ShardId;
import dev.reshard.postgres.Marker;
import dev.reshard.postgres.ShardSchema;
import dev.reshard.postgres.ShardSessions;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What the control database knows of one migration. Thread-safe. Writes that the worker makes carry
 * its lease and fail with {@link LeaseLostException} once another worker holds a newer one.
 */
public final class ControlStore implements AutoCloseable {

  /** One line of the transition log. */
  public record Transition(
      Instant at, MigrationState from, MigrationState to, String who, String why) {}

  private final String migration;
  private final Database database;

  public ControlStore(ShardSessions sessions, ShardId control, String migration) {
    this.migration = migration;
    this.database = new Database(() -> sessions.openBrief(control, "control"));
  }

  /** Makes the tables; repeatable. */
  public void install() throws SQLException {
    Connection session = database.session();
    ShardSchema.install(session);
    ShardSchema.install(session, ControlStore.class, "control.sql");
  }

  /** Whether {@link #install} was ever run here. */
  public boolean isInstalled() throws SQLException {
    return database
        .query("SELECT to_regclass('reshard.migration') IS NOT NULL", row -> row.getBoolean(1))
        .get(0);
  }

  /**
   * Stores a new migration in state PENDING and claims its buckets.
   *
   * @throws RefusedException if another migration has claimed one of them
   */
  public void create(String keyspace, Moves moves, int bucketCount) throws SQLException {
    database.transaction(
        () -> {
          database.update(
              "INSERT INTO reshard.migration (name, keyspace, state, secret) VALUES (?, ?, ?, ?)",
              migration,
              keyspace,
              MigrationState.PENDING.name(),
              Marker.random().secret());
          for (Move move : moves.all()) {
            database.update(
                "INSERT INTO reshard.move VALUES (?, ?, ?, ?)",
                migration,
                move.source().name(),
                move.destination().name(),
                move.buckets().toHex(bucketCount));
          }
          for (Move move : moves.all()) {
            database.update(
                "INSERT INTO reshard.stage_unit (migration, source, destination) VALUES (?, ?, ?)",
                migration,
                move.source().name(),
                move.destination().name());
          }
          claim(keyspace, moves.buckets());
          refuseSecond(keyspace);
          return null;
        });
  }

  /**
   * Guards are armed by the map of one moment, which a second migration would change under them.
   */
  private void refuseSecond(String keyspace) throws SQLException {
    List<String> others =
        database.query(
            "SELECT name FROM reshard.migration WHERE keyspace = ? AND state <> ? AND name <> ?",
            row -> row.getString(1),
            keyspace,
            MigrationState.CLEANED.name(),
            migration);
    if (!others.isEmpty()) {
      throw new RefusedException(
          "keyspace %s is in migration %s; complete that first".formatted(keyspace, others));
    }
  }

  private void claim(String keyspace, BucketSet buckets) throws SQLException {
    Integer[] numbers = buckets.stream().boxed().toArray(Integer[]::new);
    int claimed =
        database.update(
            """
            INSERT INTO reshard.claim (keyspace, bucket, migration)
            SELECT ?, bucket, ? FROM unnest(?::int[]) bucket ON CONFLICT DO NOTHING""",
            keyspace,
            migration,
            database.session().createArrayOf("int4", numbers));
    if (claimed != numbers.length) {
      throw new RefusedException(
          "%d of the %d buckets of migration %s are claimed by %s; complete or cancel that first"
              .formatted(numbers.length - claimed, numbers.length, migration, claimants(keyspace)));
    }
  }

  private List<String> claimants(String keyspace) throws SQLException {
    return database.query(
        "SELECT DISTINCT migration FROM reshard.claim WHERE keyspace = ? AND migration <> ?",
        row -> row.getString(1),
        keyspace,
        migration);
  }

  public Optional<MigrationRecord> load() throws SQLException {
    List<Move> moves =
        database.query(
            "SELECT source, destination, buckets FROM reshard.move WHERE migration = ?",
            row ->
                new Move(
                    new ShardId(row.getString(1)),
                    new ShardId(row.getString(2)),
                    BucketSet.fromHex(row.getString(3))),
            migration);
    List<StageUnit> units = units();
    return database
        .query(
            "SELECT keyspace, state, secret, verification FROM reshard.migration WHERE name = ?",
            row ->
                new MigrationRecord(
                    migration,
                    row.getString(1),
                    MigrationState.valueOf(row.getString(2)),
                    new Marker(row.getString(3)),
                    new Moves(moves),
                    units,
                    Optional.ofNullable(row.getString(4))),
            migration)
        .stream()
        .findFirst();
  }

  public MigrationState state() throws SQLException {
    return database
        .query(
            "SELECT state FROM reshard.migration WHERE name = ?",
            row -> MigrationState.valueOf(row.getString(1)),
            migration)
        .get(0);
  }

  /** The state that a PAUSED migration came from; empty if it is not paused. */
  public Optional<MigrationState> stateBeforePause() throws SQLException {
    return database
        .query(
            "SELECT state_before_pause FROM reshard.migration WHERE name = ?",
            row -> Optional.ofNullable(row.getString(1)).map(MigrationState::valueOf),
            migration)
        .get(0);
  }

  /** How the operator wants the clean-up done; kept, so that another worker can end it. */
  public void setCleanUp(String options, long lease) throws SQLException {
    write(lease, "UPDATE reshard.migration SET clean_up = ? WHERE name = ?", options, migration);
  }

  /** An update of one row that only the worker with the lease may make. */
  private void write(long lease, String sql, Object... values) throws SQLException {
    List<Object> all = new ArrayList<>(List.of(values));
    all.add(migration);
    all.add(lease);
    if (database.update(sql + " AND " + LEASE_HELD, all.toArray()) == 0) {
      throw new LeaseLostException(migration, lease);
    }
  }

  public String cleanUp() throws SQLException {
    return database
        .query(
            "SELECT clean_up FROM reshard.migration WHERE name = ?",
            row -> row.getString(1),
            migration)
        .get(0);
  }

  /**
   * Stores the next state before anybody acts on it.
   *
   * @param lease the worker's
   * @throws IllegalStateException if {@code next} may not follow {@code from}
   * @throws LeaseLostException if another worker was faster
   */
  public void moveTo(MigrationState from, MigrationState next, long lease, String who, String why)
      throws SQLException {
    if (!from.next().contains(next)) {
      throw new IllegalStateException("%s may not follow %s".formatted(next, from));
    }
    database.transaction(
        () -> {
          int changed =
              database.update(
                  "UPDATE reshard.migration SET state = ?, state_before_pause = ? WHERE name = ? AND state = ? AND "
                      + LEASE_HELD,
                  next.name(),
                  next == MigrationState.PAUSED ? from.name() : null,
                  migration,
                  from.name(),
                  migration,
                  lease);
          if (changed != 1) {
            throw new LeaseLostException(migration, lease);
          }
          database.update(
              """
              INSERT INTO reshard.transition (migration, from_state, to_state, who, why)
              VALUES (?, ?, ?, ?, ?)""",
              migration,
              from.name(),
              next.name(),
              who,
              why);
          return null;
        });
  }

  private static final String LEASE_HELD =
      "EXISTS (SELECT FROM reshard.worker w WHERE w.migration = ? AND w.lease = ?)";

  /** The newest lines of the transition log, newest first. */
  public List<Transition> transitions(int limit) throws SQLException {
    return database.query(
        """
        SELECT at, from_state, to_state, who, why FROM reshard.transition
         WHERE migration = ? AND unit = '' ORDER BY id DESC LIMIT ?""",
        row ->
            new Transition(
                row.getTimestamp(1).toInstant(),
                MigrationState.valueOf(row.getString(2)),
                MigrationState.valueOf(row.getString(3)),
                row.getString(4),
                row.getString(5)),
        migration,
        limit);
  }

  public Outbox outbox() {
    return new Outbox(migration, database);
  }

  public List<StageUnit> units() throws SQLException {
    return database.query(
        """
        SELECT source, destination, place, direction, attempt, epoch FROM reshard.stage_unit
         WHERE migration = ? ORDER BY source, destination""",
        row ->
            new StageUnit(
                new ShardId(row.getString(1)),
                new ShardId(row.getString(2)),
                StageUnit.Place.valueOf(row.getString(3)),
                StageUnit.Direction.valueOf(row.getString(4)),
                row.getLong(5),
                row.getLong(6)),
        migration);
  }

  /** What is written in the same transaction of the control database. */
  @FunctionalInterface
  public interface Also {
    void write(Connection session) throws SQLException;
  }

  /**
   * Replaces a unit as it was by what it becomes; nothing happens if it is that already, for the
   * answer to the first try may have been lost.
   *
   * @throws LeaseLostException if the stored unit is another, or the lease is not ours
   */
  public void moveUnit(StageUnit was, StageUnit becomes, long lease) throws SQLException {
    moveUnit(was, becomes, lease, session -> {});
  }

  /**
   * The same, together with what the caller has to write there.
   *
   * @param also is not called if the unit is that already
   */
  public void moveUnit(StageUnit was, StageUnit becomes, long lease, Also also)
      throws SQLException {
    database.transaction(
        () -> {
          if (replace(was, becomes, lease)) {
            also.write(database.session());
          } else if (!units().contains(becomes) || !holds(lease)) {
            throw new LeaseLostException(migration, lease);
          }
          return null;
        });
  }

  private boolean replace(StageUnit was, StageUnit becomes, long lease) throws SQLException {
    boolean replaced =
        database.update(
                """
                UPDATE reshard.stage_unit SET place = ?, direction = ?, attempt = ?, epoch = ?
                 WHERE migration = ? AND source = ? AND destination = ? AND place = ?
                   AND attempt = ? AND\s"""
                    + LEASE_HELD,
                becomes.place().name(),
                becomes.direction().name(),
                becomes.attempt(),
                becomes.epoch(),
                migration,
                was.source().name(),
                was.destination().name(),
                was.place().name(),
                was.attempt(),
                migration,
                lease)
            == 1;
    if (replaced) {
      database.update(
          """
          INSERT INTO reshard.transition (migration, from_state, to_state, who, why, unit, epoch)
          VALUES (?, ?, ?, 'worker', ?, ?, ?)""",
          migration,
          was.place().name(),
          becomes.place().name(),
          "attempt " + becomes.attempt(),
          becomes.toString(),
          becomes.epoch());
    }
    return replaced;
  }

  private boolean holds(long lease) throws SQLException {
    return database
        .query("SELECT " + LEASE_HELD, row -> row.getBoolean(1), migration, lease)
        .get(0);
  }

  /** Keeps the JSON of a full comparison; null forgets it. */
  public void saveVerification(String json, long lease) throws SQLException {
    write(
        lease,
        "UPDATE reshard.migration SET verification = ?::jsonb WHERE name = ?",
        json,
        migration);
  }

  /**
   * A number for a shard that no other shard of the keyspace ever gets, from 0; the same in every
   * migration.
   */
  public int ordinal(String keyspace, ShardId shard) throws SQLException {
    database.update(
        """
        INSERT INTO reshard.shard_ordinal
        SELECT ?, ?, coalesce(max(ordinal) + 1, 0) FROM reshard.shard_ordinal WHERE keyspace = ?
        ON CONFLICT (keyspace, shard) DO NOTHING""",
        keyspace,
        shard.name(),
        keyspace);
    return database
        .query(
            "SELECT ordinal FROM reshard.shard_ordinal WHERE keyspace = ? AND shard = ?",
            row -> row.getInt(1),
            keyspace,
            shard.name())
        .get(0);
  }

  /** A number that no other start of a capture has had. */
  public long nextIncarnation() throws SQLException {
    return database.query("SELECT nextval('reshard.incarnation')", row -> row.getLong(1)).get(0);
  }

  /** What the worker tells everybody, as JSON, and how old it is in milliseconds. */
  public record Report(String json, long ageMs) {}

  public void saveReport(String json, long lease) throws SQLException {
    database.update(
        """
        UPDATE reshard.worker SET report = ?::jsonb, reported = clock_timestamp()
         WHERE migration = ? AND lease = ?""",
        json,
        migration,
        lease);
  }

  public Optional<Report> report() throws SQLException {
    return database
        .query(
            """
            SELECT report, (extract(epoch FROM clock_timestamp() - reported) * 1000)::int8
              FROM reshard.worker WHERE migration = ? AND report IS NOT NULL""",
            row -> new Report(row.getString(1), row.getLong(2)),
            migration)
        .stream()
        .findFirst();
  }

  /** Ends the claims when nothing of the migration is left. */
  public void releaseClaims() throws SQLException {
    database.update("DELETE FROM reshard.claim WHERE migration = ?", migration);
  }

  public CleanupRegistry registry() {
    return new CleanupRegistry(migration, database);
  }

  public MovedTables movedTables() {
    return new MovedTables(migration, database);
  }

  public TableShapes tableShapes() {
    return new TableShapes(migration, database);
  }

  public LeftOutColumns leftOut() {
    return new LeftOutColumns(migration, database);
  }

  public Requests requests() {
    return new Requests(migration, database);
  }

  public ThrottleSetting throttle() {
    return new ThrottleSetting(migration, database);
  }

  @Override
  public void close() throws SQLException {
    database.close();
  }
}

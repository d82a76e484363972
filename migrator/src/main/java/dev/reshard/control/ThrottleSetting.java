package dev.reshard.control;

import dev.reshard.spec.Rate;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * What an operator asks of the pace. It is stored, not requested: whichever worker lives reads it
 * every second, and so does the next one. Thread-safe.
 */
public final class ThrottleSetting {
  private static final String OFF = "off";

  /**
   * What stands.
   *
   * @param rate one limit more; empty: the file's limits do not count
   * @param until when it ends by itself; empty: never
   */
  public record Asked(Optional<Rate> rate, String who, Optional<Instant> until) {}

  private final String migration;
  private final Database database;

  ThrottleSetting(String migration, Database database) {
    this.migration = migration;
    this.database = database;
  }

  /**
   * Replaces what was asked before.
   *
   * @param rate as {@link Rate#parse} reads it; empty: the file's limits do not count
   * @param lasting from now, by the control server's clock; empty: until it is replaced
   */
  public void set(Optional<String> rate, Optional<Duration> lasting, String who)
      throws SQLException {
    database.update(
        """
        INSERT INTO reshard.throttle (migration, rate, who, until)
        VALUES (?, ?, ?, clock_timestamp() + ?::int8 * interval '1 ms')
        ON CONFLICT (migration) DO UPDATE
          SET rate = excluded.rate, who = excluded.who, until = excluded.until""",
        migration,
        rate.orElse(OFF),
        who,
        lasting.map(Duration::toMillis).orElse(null));
  }

  /** From now on the file alone counts. */
  public void forget() throws SQLException {
    database.update("DELETE FROM reshard.throttle WHERE migration = ?", migration);
  }

  /** Empty: nobody has asked for anything, or its time is over. */
  public Optional<Asked> read() throws SQLException {
    return database
        .query(
            """
            SELECT rate, who, until FROM reshard.throttle
             WHERE migration = ? AND (until IS NULL OR until > clock_timestamp())""",
            row ->
                new Asked(
                    Optional.of(row.getString(1)).filter(r -> !r.equals(OFF)).map(Rate::parse),
                    row.getString(2),
                    Optional.ofNullable(row.getTimestamp(3)).map(Timestamp::toInstant)),
            migration)
        .stream()
        .findFirst();
  }
}

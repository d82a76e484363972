package dev.reshard.control;

import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * The transition log as an outbox: what of it is not published yet, in the order in which it was
 * stored. A line is stored with the change that it tells of, and its number with the publication,
 * so that a crash in between repeats lines and loses none. Thread-safe.
 */
public final class Outbox {
  private static final int BATCH = 200;

  private final String migration;
  private final Database database;

  Outbox(String migration, Database database) {
    this.migration = migration;
    this.database = database;
  }

  /**
   * A line of the log.
   *
   * @param unit whose place it is that changed; empty: the migration's state did
   * @param epoch of a unit's attempt
   */
  public record Line(
      long id,
      Instant at,
      String unit,
      String from,
      String to,
      Optional<Long> epoch,
      String who,
      String why) {}

  /** The oldest lines that are not published. */
  public List<Line> pending() throws SQLException {
    return database.query(
        """
        SELECT id, at, unit, from_state, to_state, epoch, who, why FROM reshard.transition
         WHERE migration = ? AND id > coalesce(
                 (SELECT transition FROM reshard.published WHERE migration = ?), 0)
         ORDER BY id LIMIT ?""",
        row ->
            new Line(
                row.getLong(1),
                row.getTimestamp(2).toInstant(),
                row.getString(3),
                row.getString(4),
                row.getString(5),
                Optional.ofNullable(row.getObject(6, Long.class)),
                row.getString(7),
                row.getString(8)),
        migration,
        migration,
        BATCH);
  }

  /** All lines up to this one are published; an older number changes nothing. */
  public void published(long id) throws SQLException {
    database.update(
        """
        INSERT INTO reshard.published AS p (migration, transition) VALUES (?, ?)
        ON CONFLICT (migration) DO UPDATE SET transition = greatest(p.transition, excluded.transition)""",
        migration,
        id);
  }
}

package dev.reshard.control;

import java.sql.Array;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What operators ask of the worker, from any host that reaches the control database. A request that
 * its asker no longer waits for is not carried out. Thread-safe.
 */
public final class Requests {

  /** What can be asked. */
  public enum Command {
    VERIFY,
    CUTOVER,
    ROLLBACK,
    COMPLETE,
    PAUSE,
    RESUME,
    CANCEL;

    /** Commands that end what the worker is busy with, where it can be ended. */
    public static final Set<Command> URGENT = EnumSet.of(PAUSE, CANCEL);
  }

  /**
   * A request that nobody has answered.
   *
   * @param argument what the command means by it; empty for most
   */
  public record Request(long id, Command command, String argument, String who) {}

  /**
   * What the worker has said so far.
   *
   * @param exitCode empty until the answer is final
   */
  public record Answer(List<String> lines, Optional<Integer> exitCode) {}

  private final String migration;
  private final Database database;

  Requests(String migration, Database database) {
    this.migration = migration;
    this.database = database;
  }

  /** Asks, and returns the request's number. */
  public long ask(Command command, String argument, String who, Duration timeout)
      throws SQLException {
    return database
        .query(
            """
            INSERT INTO reshard.request (migration, command, argument, who, deadline)
            VALUES (?, ?, ?, ?, clock_timestamp() + ? * interval '1 ms') RETURNING id""",
            row -> row.getLong(1),
            migration,
            command.name(),
            argument,
            who,
            timeout.toMillis())
        .get(0);
  }

  /**
   * Takes a request back that the worker has not begun.
   *
   * @return false if it has
   */
  public boolean withdraw(long id) throws SQLException {
    return database.update(
            """
            UPDATE reshard.request SET answered = clock_timestamp()
             WHERE id = ? AND answered IS NULL AND lines = '{}'""",
            id)
        == 1;
  }

  /** The oldest request for one of these that is not answered and whose asker still waits. */
  public Optional<Request> next(Set<Command> commands) throws SQLException {
    return database
        .query(
            """
            SELECT id, command, argument, who FROM reshard.request
             WHERE migration = ? AND answered IS NULL AND deadline > clock_timestamp()
               AND command = ANY (string_to_array(?, ' '))
             ORDER BY id LIMIT 1""",
            row ->
                new Request(
                    row.getLong(1),
                    Command.valueOf(row.getString(2)),
                    row.getString(3),
                    row.getString(4)),
            migration,
            commands.stream().map(Command::name).collect(Collectors.joining(" ")))
        .stream()
        .findFirst();
  }

  /**
   * A request that waits, or that the worker is busy with.
   *
   * @param said the worker's last line; empty if it has not begun
   */
  public record Open(Command command, String who, Instant asked, String said) {}

  /** All that are not answered and whose askers still wait, oldest first. */
  public List<Open> open() throws SQLException {
    return database.query(
        """
        SELECT command, who, created, coalesce(lines[cardinality(lines)], '') FROM reshard.request
         WHERE migration = ? AND answered IS NULL AND deadline > clock_timestamp() ORDER BY id""",
        row ->
            new Open(
                Command.valueOf(row.getString(1)),
                row.getString(2),
                row.getTimestamp(3).toInstant(),
                row.getString(4)),
        migration);
  }

  /** Adds a line to the answer. */
  public void say(Request request, String line) throws SQLException {
    database.update(
        "UPDATE reshard.request SET lines = lines || ? WHERE id = ?", line, request.id());
  }

  /** Ends the answer; the first end stands. */
  public void answer(Request request, int exitCode) throws SQLException {
    database.update(
        """
        UPDATE reshard.request SET exit_code = ?, answered = clock_timestamp()
         WHERE id = ? AND answered IS NULL""",
        exitCode,
        request.id());
  }

  public Answer read(long id) throws SQLException {
    return database
        .query(
            "SELECT lines, exit_code FROM reshard.request WHERE id = ?",
            row -> {
              Array lines = row.getArray(1);
              int code = row.getInt(2);
              return new Answer(
                  Arrays.asList((String[]) lines.getArray()),
                  row.wasNull() ? Optional.empty() : Optional.of(code));
            },
            id)
        .get(0);
  }
}

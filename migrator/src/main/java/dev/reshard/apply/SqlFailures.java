package dev.reshard.apply;

import dev.reshard.apply.LaneException.Problem;
import dev.reshard.postgres.SqlState;
import java.sql.SQLException;
import java.util.Optional;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

/** What a destination's errors mean for a lane, by SQLSTATE. Stateless. */
final class SqlFailures {
  private static final String UNIQUE = "23505";
  private static final String EXCLUSION = "23P01";

  private SqlFailures() {}

  static Problem problem(SQLException e) {
    String state = SqlState.of(e);
    return state.equals(UNIQUE) || state.equals(EXCLUSION) ? Problem.CONFLICT : Problem.REFUSED;
  }

  /**
   * The server's words as far as they hold no value of a user's row: never the detail, and no
   * message of class 22, "data exception".
   */
  static String describe(SQLException e) {
    StringBuilder text = new StringBuilder("SQLSTATE ").append(SqlState.of(e));
    Optional<ServerErrorMessage> server = server(e);
    server
        .map(ServerErrorMessage::getMessage)
        .or(() -> Optional.ofNullable(e.getMessage()))
        .filter(message -> !SqlState.of(e).startsWith("22"))
        .ifPresent(message -> text.append(": ").append(message));
    server.map(ServerErrorMessage::getTable).ifPresent(t -> text.append(", table ").append(t));
    server.map(ServerErrorMessage::getColumn).ifPresent(c -> text.append(", column ").append(c));
    server
        .map(ServerErrorMessage::getConstraint)
        .ifPresent(c -> text.append(", constraint ").append(c));
    return text.toString();
  }

  private static Optional<ServerErrorMessage> server(SQLException e) {
    return e instanceof PSQLException postgres
        ? Optional.ofNullable(postgres.getServerErrorMessage())
        : Optional.empty();
  }
}

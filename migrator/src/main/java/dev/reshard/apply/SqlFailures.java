package dev.reshard.apply;

import dev.reshard.apply.LaneException.Problem;
import java.sql.SQLException;
import java.util.Optional;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

/** What a destination's errors mean for a lane, by SQLSTATE. Stateless. */
final class SqlFailures {
  private static final String LEASE_LOST = "RS002";
  private static final String UNIQUE = "23505";
  private static final String EXCLUSION = "23P01";

  private SqlFailures() {}

  /**
   * Whether the same batch may succeed later: a deadlock, a serialization failure, a lock that was
   * not free in time, a server that is away, starting, stopping or out of resources.
   */
  static boolean mayPass(SQLException e) {
    String state = state(e);
    return isBroken(e)
        || state.equals("40P01")
        || state.equals("40001")
        || state.equals("55P03")
        || state.startsWith("53");
  }

  /** Whether the connection is of no use any more. */
  static boolean isBroken(SQLException e) {
    String state = state(e);
    return state.startsWith("08") || state.startsWith("57P0");
  }

  static boolean isLeaseLost(SQLException e) {
    return state(e).equals(LEASE_LOST);
  }

  static Problem problem(SQLException e) {
    String state = state(e);
    return state.equals(UNIQUE) || state.equals(EXCLUSION) ? Problem.CONFLICT : Problem.REFUSED;
  }

  /**
   * The server's words as far as they hold no value of a user's row: never the detail, and no
   * message of class 22, "data exception".
   */
  static String describe(SQLException e) {
    StringBuilder text = new StringBuilder("SQLSTATE ").append(state(e));
    Optional<ServerErrorMessage> server = server(e);
    server
        .map(ServerErrorMessage::getMessage)
        .or(() -> Optional.ofNullable(e.getMessage()))
        .filter(message -> !state(e).startsWith("22"))
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

  private static String state(SQLException e) {
    return e.getSQLState() == null ? "" : e.getSQLState();
  }
}

package dev.reshard.cli;

import dev.reshard.preflight.Unreachable;
import java.sql.SQLException;

/** A shard gives us no session; the message names it, its address, why, and what to do. */
final class UnreachableException extends SQLException {
  private static final long serialVersionUID = 1L;

  UnreachableException(Unreachable why, SQLException cause) {
    super(why.toString(), cause.getSQLState(), cause);
  }
}

package dev.reshard.schema;

import java.sql.SQLException;

/** A destination refused what its schema needs; the message says what is there now. */
public final class SchemaException extends SQLException {
  private static final long serialVersionUID = 1;

  SchemaException(String message, SQLException cause) {
    super(message, cause.getSQLState(), cause);
  }
}

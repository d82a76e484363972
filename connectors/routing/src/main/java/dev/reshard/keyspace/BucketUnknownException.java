package dev.reshard.keyspace;

import java.sql.SQLException;

/** No server could be asked for a key's bucket; says nothing about the key: try again. */
public final class BucketUnknownException extends RuntimeException {
  private static final long serialVersionUID = 1;

  BucketUnknownException(String partitioning, SQLException cause) {
    super(
        "no server could be asked for a bucket by '%s': %s"
            .formatted(partitioning, cause.getMessage()),
        cause);
  }

  /** Why the last server could not. */
  public SQLException sqlException() {
    return (SQLException) getCause();
  }
}

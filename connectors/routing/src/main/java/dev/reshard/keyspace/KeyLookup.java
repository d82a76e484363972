package dev.reshard.keyspace;

import java.sql.SQLException;

/** Asks a server for the bucket of a key that Java cannot place. Thread-safe. */
@FunctionalInterface
public interface KeyLookup {
  /**
   * What a query of one row and one column of type {@code int} answers.
   *
   * @param query has one parameter, whose type the server finds out
   * @param key the parameter, as PostgreSQL writes it as text
   * @return null if the answer is
   */
  Integer ask(String query, String key) throws SQLException;
}

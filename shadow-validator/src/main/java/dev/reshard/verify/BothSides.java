package dev.reshard.verify;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import org.postgresql.PGConnection;

/** What was read on the source and on a destination at the same time. Immutable. */
record BothSides<T>(T source, T destination) {
  /** How often it is asked whether a reading is to be cut off, in milliseconds. */
  private static final long LOOK_MS = 100;

  /** Reads something in one session. */
  @FunctionalInterface
  interface Reader<T> {
    T read(Connection connection) throws SQLException;
  }

  /**
   * Reads each side in a thread of its own, and waits for both. Both sessions keep their snapshots,
   * but no lock on a table that was read: DDL waits for no longer than this takes.
   *
   * @param cut asked meanwhile: true ends both
   * @return empty if it was cut off
   */
  static <T> Optional<BothSides<T>> read(
      Connection source,
      Connection destination,
      Reader<T> ofSource,
      Reader<T> ofDestination,
      BooleanSupplier cut)
      throws SQLException, InterruptedException {
    mark(source);
    mark(destination);
    FutureTask<T> there = start("compare-source", source, ofSource);
    FutureTask<T> here = start("compare-destination", destination, ofDestination);
    boolean wasCut = false;
    while (!isDone(there) || !isDone(here)) {
      wasCut = wasCut || cut.getAsBoolean();
      if (wasCut) { // again and again, as a server that is asked nothing yet has nothing to cancel
        source.unwrap(PGConnection.class).cancelQuery();
        destination.unwrap(PGConnection.class).cancelQuery();
      }
    }
    try {
      letGo(source);
      letGo(destination);
    } catch (SQLException e) {
      get(there);
      get(here);
      throw e;
    }
    return wasCut ? Optional.empty() : Optional.of(new BothSides<>(get(there), get(here)));
  }

  /** From here on what a session locks can be let go, though its transaction goes on. */
  static void mark(Connection connection) throws SQLException {
    execute(connection, "SAVEPOINT reading");
  }

  /** Lets go what was locked since the mark, also after an error. */
  static void letGo(Connection connection) throws SQLException {
    execute(connection, "ROLLBACK TO SAVEPOINT reading; RELEASE SAVEPOINT reading");
  }

  private static void execute(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  private static <T> FutureTask<T> start(String name, Connection connection, Reader<T> reader) {
    FutureTask<T> task = new FutureTask<>(() -> reader.read(connection));
    Thread thread = new Thread(task, name);
    thread.setDaemon(true);
    thread.start();
    return task;
  }

  /** Waits for a moment. */
  private static boolean isDone(FutureTask<?> task) throws InterruptedException {
    try {
      task.get(LOOK_MS, TimeUnit.MILLISECONDS);
      return true;
    } catch (ExecutionException e) {
      return true; // told once both have ended
    } catch (TimeoutException e) {
      return false;
    }
  }

  private static <T> T get(FutureTask<T> task) throws SQLException, InterruptedException {
    try {
      return task.get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof SQLException cause) {
        throw cause;
      }
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw new IllegalStateException(e.getCause());
    }
  }
}

package dev.reshard.verify;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/** What was read on the source and on a destination at the same time. Immutable. */
record BothSides<T>(T source, T destination) {

  /** Reads something in one session. */
  @FunctionalInterface
  interface Reader<T> {
    T read(Connection connection) throws SQLException;
  }

  /** Reads the source in another thread and the destination in this one, and waits for both. */
  static <T> BothSides<T> read(Connection source, Connection destination, Reader<T> reader)
      throws SQLException, InterruptedException {
    FutureTask<T> other = new FutureTask<>(() -> reader.read(source));
    Thread thread = new Thread(other, "compare-source");
    thread.start();
    SQLException failure = null;
    T here = null;
    try {
      here = reader.read(destination);
    } catch (SQLException e) {
      failure = e;
    }
    try {
      T there = other.get();
      if (failure != null) {
        throw failure;
      }
      return new BothSides<>(there, here);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof SQLException cause) {
        throw cause;
      }
      throw new IllegalStateException(e.getCause());
    }
  }
}

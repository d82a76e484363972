package dev.reshard.postgres;

import java.sql.SQLException;

/** What a server's error means for whoever might try again (manual, appendix A). Stateless. */
public final class SqlState {
  private SqlState() {}

  /** The code; empty if the driver gave none. */
  public static String of(SQLException e) {
    return e.getSQLState() == null ? "" : e.getSQLState();
  }

  /**
   * Whether the same may succeed later: a deadlock, a serialization failure, a lock that was not
   * free in time, a server that is away, starting, stopping or out of resources.
   */
  public static boolean mayPass(SQLException e) {
    String state = of(e);
    return isBroken(e)
        || state.equals("40P01")
        || state.equals("40001")
        || isLockTimeout(e)
        || state.startsWith("53");
  }

  /**
   * Whether the connection is of no use any more: it is gone, or its server takes no writes, as one
   * does that has become a standby. Then the next connection may meet another server.
   */
  public static boolean isBroken(SQLException e) {
    return of(e).startsWith("08") || of(e).startsWith("57P0") || of(e).equals("25006");
  }

  /** Whether a lock was not free within {@code lock_timeout}. */
  public static boolean isLockTimeout(SQLException e) {
    return of(e).equals("55P03");
  }

  /** Whether the shard has seen a worker with a newer lease. */
  public static boolean isLeaseLost(SQLException e) {
    return of(e).equals("RS002");
  }
}

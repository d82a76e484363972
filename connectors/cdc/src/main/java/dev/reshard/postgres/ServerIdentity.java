package dev.reshard.postgres;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/**
 * Whose WAL positions these are: after a failover or a restore the same LSN may name another
 * change, so positions of two identities are never compared (HAZARDS F18). Immutable.
 *
 * @param system the cluster's system identifier, decimal
 * @param timeline grows with every promotion of a standby
 */
public record ServerIdentity(String system, int timeline) {

  /**
   * Of the server that a session speaks to, for as long as that session lives.
   *
   * @param replication a session of {@link ShardSessions#openReplication}
   */
  public static ServerIdentity of(Connection replication) throws SQLException {
    try (Statement statement = replication.createStatement();
        ResultSet row = statement.executeQuery("IDENTIFY_SYSTEM")) {
      row.next();
      return new ServerIdentity(row.getString("systemid"), row.getInt("timeline"));
    }
  }

  @Override
  public String toString() {
    return "system %s, timeline %d".formatted(system, timeline);
  }
}

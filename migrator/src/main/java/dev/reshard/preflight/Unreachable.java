package dev.reshard.preflight;

import dev.reshard.keyspace.ShardId;
import dev.reshard.postgres.ShardSessions;
import java.sql.SQLException;
import java.util.Optional;

/** What to do about a shard that gives us no session. Stateless. */
final class Unreachable {
  private Unreachable() {}

  static Finding finding(ShardId shard, SQLException e) {
    String state = Optional.ofNullable(e.getSQLState()).orElse("");
    return Finding.blocker("cannot be reached: " + e.getMessage()).at(shard).todo(todo(state));
  }

  private static String todo(String state) {
    if (state.equals(ShardSessions.POOLED)) {
      return "give the server's own address under shards";
    }
    if (state.startsWith("28")) {
      return "is the role there ('reshard check --grants' prints its SQL), is login right, does pg_hba.conf let it in from here?";
    }
    if (state.startsWith("08")) {
      return "look at its address under shards, at the network and the firewall";
    }
    return "nothing else of it was looked at";
  }
}

package dev.reshard.bench;

import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShard;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;

/** A session that looks again and again. Confined to one thread, but for {@link #close}. */
final class Looker implements AutoCloseable {
  private final Connection session;

  private Looker(Connection session) {
    this.session = session;
  }

  static Looker at(SandboxShard shard) throws SQLException {
    return new Looker(shard.connect(SandboxRole.SUPERUSER));
  }

  static List<Looker> all(List<SandboxShard> shards) throws SQLException {
    List<Looker> lookers = new ArrayList<>();
    for (SandboxShard shard : shards) {
      lookers.add(at(shard));
    }
    return lookers;
  }

  /** Asks until the query gives a row. */
  void await(String query, long everyMs) throws SQLException, InterruptedException {
    while (!isThere(query)) {
      Thread.sleep(everyMs); // the next look
    }
  }

  boolean isThere(String query) throws SQLException {
    try (Statement statement = session.createStatement();
        ResultSet row = statement.executeQuery(query)) {
      return row.next();
    }
  }

  Connection session() {
    return session;
  }

  @Override
  public void close() throws SQLException {
    session.close();
  }
}

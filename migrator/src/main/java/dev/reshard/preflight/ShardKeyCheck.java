package dev.reshard.preflight;

import dev.reshard.keyspace.Keyspace;
import dev.reshard.keyspace.Keyspace.ShardedTable;
import dev.reshard.keyspace.ShardId;
import dev.reshard.postgres.Catalog;
import dev.reshard.postgres.ShardSessions;
import dev.reshard.postgres.Table;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Whether the keyspace's function has one bucket for each shard key, the same in Java and on every
 * server. Reads catalogs only: it makes none of the functions that a worker needs. Immutable.
 */
public final class ShardKeyCheck implements Check {
  /**
   * The column's type, of a domain the one below it; whether equal means the same bytes; and in
   * which encoding these are.
   */
  private static final String TYPE =
      """
      WITH RECURSIVE k(type, modifier, collid) AS (
        SELECT atttypid, atttypmod, attcollation FROM pg_attribute
         WHERE attrelid = ? AND attname = ? AND NOT attisdropped
        UNION ALL
        SELECT t.typbasetype, t.typtypmod, k.collid FROM k JOIN pg_type t ON t.oid = k.type
         WHERE t.typtype = 'd')
      SELECT format_type(k.type, k.modifier), coalesce(c.collisdeterministic, true),
             CASE WHEN t.typcategory = 'S' THEN current_setting('server_encoding') ELSE 'UTF8' END
        FROM k JOIN pg_type t ON t.oid = k.type LEFT JOIN pg_collation c ON c.oid = k.collid
       WHERE t.typtype <> 'd'""";

  private final ShardSessions sessions;
  private final Keyspace keyspace;
  private final Set<ShardId> shards;

  /** A check of these shards' tables. */
  public ShardKeyCheck(ShardSessions sessions, Keyspace keyspace, Collection<ShardId> shards) {
    this.sessions = sessions;
    this.keyspace = keyspace;
    this.shards = new TreeSet<>(shards);
  }

  @Override
  public String name() {
    return "shard keys";
  }

  @Override
  public List<Finding> look() throws SQLException {
    List<Finding> findings = new ArrayList<>();
    for (ShardId shard : shards) {
      try (Connection connection = sessions.open(shard, "check")) {
        look(shard, connection, findings);
      }
    }
    return findings;
  }

  private void look(ShardId shard, Connection connection, List<Finding> findings)
      throws SQLException {
    for (ShardedTable sharded : keyspace.sharded()) {
      Optional<Table> table = Catalog.find(connection, sharded.id());
      if (table.isPresent()) {
        look(shard, connection, sharded, table.get().oid(), findings);
      }
    }
  }

  private void look(
      ShardId shard, Connection connection, ShardedTable table, long oid, List<Finding> findings)
      throws SQLException {
    String column = "%s: %s.%s ".formatted(shard, table.id(), table.key());
    try (PreparedStatement statement = connection.prepareStatement(TYPE)) {
      statement.setLong(1, oid);
      statement.setString(2, table.key());
      try (ResultSet row = statement.executeQuery()) {
        if (!row.next()) {
          return; // no such column: the table's own check says it
        }
        String type = row.getString(1);
        keyspace
            .partitioning()
            .objectionTo(type)
            .ifPresent(
                why -> findings.add(Finding.blocker("%sis %s, %s".formatted(column, type, why))));
        if (!row.getBoolean(2)) {
          findings.add(
              Finding.blocker(
                  "%shas a nondeterministic collation: keys that it takes for equal have different buckets; give it a deterministic one"
                      .formatted(column)));
        }
        String encoding = row.getString(3);
        if (!encoding.equals("UTF8")) {
          findings.add(
              Finding.blocker(
                  "%sis stored in %s, but keys are hashed in UTF-8, so one with an accent would lie elsewhere; only databases in UTF8 can have text keys"
                      .formatted(column, encoding)));
        }
      }
    }
  }
}

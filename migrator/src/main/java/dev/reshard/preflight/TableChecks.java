package dev.reshard.preflight;

import dev.reshard.keyspace.Keyspace;
import dev.reshard.keyspace.Keyspace.ShardedTable;
import dev.reshard.keyspace.Moves;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Catalog;
import dev.reshard.postgres.Column;
import dev.reshard.postgres.ShardSessions;
import dev.reshard.postgres.Table;
import dev.reshard.spec.Spec;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** Checks of the keyspace's tables on every shard of the plan. Immutable. */
public final class TableChecks {
  /** Unique indexes over columns that do not contain the shard key. */
  private static final String UNIQUE_WITHOUT_KEY =
      """
      SELECT x.relname, i.indisprimary FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
       WHERE i.indrelid = ? AND i.indisunique
         AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = i.indrelid
                          AND a.attname = ? AND a.attnum = ANY (i.indkey::int2[]))
       ORDER BY 1""";

  /** Triggers and rules that would fire once more when we write the row. */
  private static final String FIRES_TWICE =
      """
      SELECT 'trigger ' || tgname FROM pg_trigger
       WHERE tgrelid = ? AND NOT tgisinternal AND tgenabled IN ('A', 'R')
         AND tgfoid NOT IN (SELECT p.oid FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
                             WHERE n.nspname = 'reshard')
      UNION ALL
      SELECT 'rule ' || rulename FROM pg_rewrite
       WHERE ev_class = ? AND ev_enabled IN ('A', 'R') AND rulename <> '_RETURN'""";

  /** Old-style children and other kinds of storage that we do not follow. */
  private static final String KIND =
      """
      SELECT CASE WHEN c.relpersistence <> 'p' THEN 'is not logged'
                  WHEN NOT c.relispartition AND c.relkind = 'r' AND EXISTS (
                    SELECT FROM pg_inherits h WHERE h.inhrelid = c.oid OR h.inhparent = c.oid)
                  THEN 'uses INHERITS'
                  WHEN NOT pg_has_role(c.relowner, 'USAGE') THEN 'belongs to a role that ours is no member of'
             END
        FROM pg_class c WHERE c.oid = ?""";

  private final ShardSessions sessions;
  private final Spec spec;
  private final Keyspace keyspace;
  private final Moves moves;
  private final Set<ShardId> serving;

  /**
   * Checks for one plan.
   *
   * @param serving the shards that own buckets today
   */
  public TableChecks(
      ShardSessions sessions, Spec spec, Keyspace keyspace, Moves moves, Set<ShardId> serving) {
    this.sessions = sessions;
    this.spec = spec;
    this.keyspace = keyspace;
    this.moves = moves;
    this.serving = Set.copyOf(serving);
  }

  /** One check for each table. */
  public List<Check> all() {
    List<Check> checks = new ArrayList<>();
    for (ShardedTable table : keyspace.sharded()) {
      checks.add(check(table.id(), () -> sharded(table)));
    }
    for (TableId table : keyspace.reference()) {
      checks.add(check(table, () -> reference(table)));
    }
    return checks;
  }

  private interface Look {
    List<Finding> at() throws SQLException;
  }

  private static Check check(TableId table, Look look) {
    return new Check() {
      @Override
      public String name() {
        return "table " + table;
      }

      @Override
      public List<Finding> look() throws SQLException {
        return look.at();
      }
    };
  }

  private List<Finding> sharded(ShardedTable table) throws SQLException {
    List<Finding> findings = new ArrayList<>();
    Map<ShardId, Table> tables = onEveryShard(table.id(), findings);
    Set<String> crossShard = new TreeSet<>();
    for (Map.Entry<ShardId, Table> entry : tables.entrySet()) {
      ShardId shard = entry.getKey();
      Table found = entry.getValue();
      if (!found.hasColumn(table.key())) {
        findings.add(
            Finding.blocker(
                "%s: %s has no column %s; name its shard key under keyspace.tables.key_of, or list it as reference or ignored"
                    .formatted(shard, table.id(), table.key())));
        continue;
      }
      Column key = found.column(table.key());
      if (!key.notNull()) {
        findings.add(
            Finding.blocker(
                "%s: %s.%s may be NULL, and such a row has no bucket; ALTER COLUMN .. SET NOT NULL"
                    .formatted(shard, table.id(), key.name())));
      }
      try (Connection connection = sessions.open(shard, "check")) {
        findings.addAll(shape(connection, shard, found));
        for (Map.Entry<String, Boolean> index :
            uniqueWithoutKey(connection, found, table.key()).entrySet()) {
          crossShard.add(index.getKey());
          findings.addAll(unique(shard, table, index.getKey(), index.getValue()));
        }
      }
    }
    if (!crossShard.isEmpty() && spec.keyspace().acceptCrossShardUnique().contains(table.id())) {
      findings.add(
          Finding.note(
              "%s: unique %s lacks the shard key %s: unique per shard only. You accepted it: if two shards ever use the same value, a rollback may be refused"
                  .formatted(table.id(), crossShard, table.key())));
    }
    return findings;
  }

  private List<Finding> unique(ShardId shard, ShardedTable table, String index, boolean primary) {
    if (spec.keyspace().acceptCrossShardUnique().contains(table.id())) {
      return List.of();
    }
    boolean twoSourcesMeet = moves.destinations().stream().anyMatch(d -> moves.to(d).size() > 1);
    boolean servesAlready = moves.destinations().contains(shard) && serving.contains(shard);
    boolean meets = !primary || twoSourcesMeet || servesAlready;
    return meets
        ? List.of(
            Finding.blocker(
                "%s: unique index %s of %s lacks the shard key %s, so rows of different shards can meet in it; if its values are unique over all shards, list the table under keyspace.tables.accept_cross_shard_unique"
                    .formatted(shard, index, table.id(), table.key())))
        : List.of();
  }

  private List<Finding> reference(TableId id) throws SQLException {
    List<Finding> findings = new ArrayList<>();
    for (Map.Entry<ShardId, Table> entry : onEveryShard(id, findings).entrySet()) {
      try (Connection connection = sessions.open(entry.getKey(), "check")) {
        findings.addAll(shape(connection, entry.getKey(), entry.getValue()));
      }
    }
    return findings;
  }

  private Map<ShardId, Table> onEveryShard(TableId id, List<Finding> findings) throws SQLException {
    Map<ShardId, Table> tables = new TreeMap<>();
    for (ShardId shard : moves.shards()) {
      try (Connection connection = sessions.open(shard, "check")) {
        Optional<Table> table = Catalog.find(connection, id);
        if (table.isPresent()) {
          tables.put(shard, table.get());
        } else {
          findings.add(missing(shard, id));
        }
      }
    }
    Set<Set<Column>> shapes =
        tables.values().stream()
            .map(table -> Set.copyOf(table.columns()))
            .collect(Collectors.toSet());
    if (shapes.size() > 1) {
      findings.add(
          Finding.blocker(
              "%s differs between shards in columns, types or NOT NULL: %s; make them the same"
                  .formatted(id, differing(tables))));
    }
    return tables;
  }

  /** A destination is given what it lacks; but a reference table's rows only if it is new. */
  private Finding missing(ShardId shard, TableId id) {
    if (moves.sources().contains(shard)) {
      return Finding.blocker(
          "%s: there is no table %s; roll out your schema there first".formatted(shard, id));
    }
    if (serving.contains(shard) && keyspace.reference().contains(id)) {
      return Finding.blocker(
          "%s: there is no reference table %s, though the shard serves already; make it there, with its rows"
              .formatted(shard, id));
    }
    return Finding.note("%s: there is no table %s; it will be made there".formatted(shard, id));
  }

  private static String differing(Map<ShardId, Table> tables) {
    Set<String> names = new TreeSet<>();
    for (Table one : tables.values()) {
      for (Table other : tables.values()) {
        one.columns().stream()
            .filter(column -> !other.columns().contains(column))
            .forEach(column -> names.add(column.name()));
      }
    }
    return String.join(", ", names);
  }

  private List<Finding> shape(Connection connection, ShardId shard, Table table)
      throws SQLException {
    List<Finding> findings = new ArrayList<>();
    for (String kind : strings(connection, KIND, table.oid())) {
      if (kind != null) {
        findings.add(
            Finding.blocker(
                "%s: %s %s, which we cannot follow; change that, or list it as ignored"
                    .formatted(shard, table.id(), kind)));
      }
    }
    for (String twice : strings(connection, FIRES_TWICE, table.oid(), table.oid())) {
      findings.add(
          Finding.blocker(
              "%s: %s has %s with ENABLE ALWAYS or REPLICA, which would fire once more for every row we write; make it a plain one"
                  .formatted(shard, table.id(), twice)));
    }
    return findings;
  }

  private static Map<String, Boolean> uniqueWithoutKey(
      Connection connection, Table table, String key) throws SQLException {
    Map<String, Boolean> found = new TreeMap<>();
    try (PreparedStatement statement = connection.prepareStatement(UNIQUE_WITHOUT_KEY)) {
      statement.setLong(1, table.oid());
      statement.setString(2, key);
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          found.put(row.getString(1), row.getBoolean(2));
        }
      }
    }
    return found;
  }

  private static List<String> strings(Connection connection, String sql, long... oids)
      throws SQLException {
    List<String> found = new ArrayList<>();
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      for (int i = 0; i < oids.length; i++) {
        statement.setLong(i + 1, oids[i]);
      }
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          found.add(row.getString(1));
        }
      }
    }
    return found;
  }
}

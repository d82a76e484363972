package dev.reshard.preflight;

import dev.reshard.keyspace.Keyspace.ShardedTable;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Table;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Unique keys that do not contain the shard key: rows of different shards can meet in them (HAZARDS
 * F25). Immutable.
 */
final class UniqueKeys implements Check {
  private static final String WITHOUT_KEY =
      """
      SELECT i.indrelid, x.relname, i.indisprimary
        FROM unnest(?, ?) AS sharded(oid, key)
        JOIN pg_index i ON i.indrelid = sharded.oid
        JOIN pg_class x ON x.oid = i.indexrelid
       WHERE (i.indisunique OR i.indisexclusion)
         AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = i.indrelid
                          AND a.attname = sharded.key
                          AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1]))
       ORDER BY x.relname""";

  private final Subject subject;

  UniqueKeys(Subject subject) {
    this.subject = subject;
  }

  @Override
  public String name() {
    return "unique keys";
  }

  @Override
  public List<Finding> look() throws InterruptedException {
    return subject.sessions().look(subject.shards(), this::on);
  }

  private List<Finding> on(CheckSession session) throws SQLException {
    Map<Long, ShardedTable> tables = new HashMap<>();
    List<Long> oids = new ArrayList<>();
    List<String> keys = new ArrayList<>();
    for (ShardedTable sharded : subject.keyed(session.shard())) {
      long oid = subject.table(session.shard(), sharded.id()).map(Table::oid).orElseThrow();
      tables.put(oid, sharded);
      oids.add(oid);
      keys.add(sharded.key());
    }
    List<Finding> findings = new ArrayList<>();
    session.query(
        WITHOUT_KEY,
        row -> {
          ShardedTable table = tables.get(row.getLong(1));
          findings.addAll(judge(session.shard(), table, row.getString(2), row.getBoolean(3)));
          return table;
        },
        session.oids(oids),
        session.texts(keys));
    return findings;
  }

  private List<Finding> judge(ShardId shard, ShardedTable table, String index, boolean primary) {
    TableId id = table.id();
    if (subject.spec().keyspace().acceptCrossShardUnique().contains(id)) {
      return List.of(
          Finding.note(
                  "unique per shard only, as the key lacks the shard key %s. You accepted it: if two shards ever use the same value, a rollback may be refused"
                      .formatted(table.key()))
              .at(shard)
              .on(id)
              .detail(index));
    }
    boolean twoSourcesMeet =
        subject.moves().destinations().stream().anyMatch(d -> subject.moves().to(d).size() > 1);
    boolean servesAlready =
        subject.moves().destinations().contains(shard) && subject.serving().contains(shard);
    if (primary && !twoSourcesMeet && !servesAlready) {
      return List.of();
    }
    return List.of(
        Finding.blocker(
                "unique key without the shard key %s, so rows of different shards can meet in it"
                    .formatted(table.key()))
            .at(shard)
            .on(id)
            .detail(index)
            .todo(
                "if its values are unique over all shards, list the table under keyspace.tables.accept_cross_shard_unique; else make the shard key a part of it"));
  }
}

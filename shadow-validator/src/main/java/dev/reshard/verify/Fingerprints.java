package dev.reshard.verify;

import dev.reshard.keyspace.Keyspace.ShardedTable;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import dev.reshard.migration.Migration;
import dev.reshard.postgres.Catalog;
import dev.reshard.postgres.Table;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;

/**
 * What the moved tables are made of, on every shard of a migration. A rewrite, or a partition that
 * is attached, changes rows without a single message (HAZARDS F5, F6): what was verified before it
 * says nothing about what is there after it. Stateless.
 */
final class Fingerprints {
  private Fingerprints() {}

  /** By {@code shard schema.table}. */
  static Map<String, String> read(Migration migration) throws SQLException {
    Map<String, String> fingerprints = new TreeMap<>();
    for (ShardId shard : migration.moves().shards()) {
      try (Connection connection = migration.sessions().open(shard, "gates")) {
        for (TableId id : tables(migration)) {
          Optional<Table> table = Catalog.find(connection, id);
          String text = table.map(Table::fingerprint).orElse("gone");
          fingerprints.put(
              shard + " " + id,
              UUID.nameUUIDFromBytes(text.getBytes(StandardCharsets.UTF_8)).toString());
        }
      }
    }
    return fingerprints;
  }

  private static List<TableId> tables(Migration migration) {
    List<TableId> tables = new ArrayList<>();
    migration.keyspace().sharded().stream().map(ShardedTable::id).forEach(tables::add);
    if (migration.hasReference()) {
      tables.addAll(migration.keyspace().reference());
    }
    return tables;
  }

  /** The tables that are not what they were. */
  static List<String> changed(Map<String, String> before, Map<String, String> now) {
    TreeSet<String> all = new TreeSet<>(before.keySet());
    all.addAll(now.keySet());
    return all.stream()
        .filter(
            table ->
                !Optional.ofNullable(before.get(table)).equals(Optional.ofNullable(now.get(table))))
        .toList();
  }
}

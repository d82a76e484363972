package dev.reshard.finish;

import dev.reshard.control.CleanupRegistry.Kind;
import dev.reshard.keyspace.ShardId;
import dev.reshard.migration.Migration;
import java.sql.SQLException;
import java.util.Collection;
import java.util.Set;
import java.util.TreeSet;

/**
 * The schema that a destination lacked and was given. It stays wherever an application may have
 * written to it: on a shard that owned buckets before, and on one that got some, even if it gave
 * them back. For its sequences know which ids they have given out, and would give them out again.
 * On others the cleanup registry takes it away. Stateless.
 */
final class SchemaThatStays {
  private SchemaThatStays() {}

  /**
   * Takes what stays out of the registry; to be called before the registry is undone. Repeatable.
   *
   * @param opened destinations that may have been opened to applications; empty before the first
   *     decision
   */
  static void keep(Migration migration, Collection<ShardId> opened) throws SQLException {
    Set<ShardId> shards = new TreeSet<>(migration.before().byShard().keySet());
    shards.addAll(opened);
    for (ShardId shard : shards) {
      migration.control().registry().forget(shard, Kind.SCHEMA_OBJECT);
    }
  }
}

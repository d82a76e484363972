package dev.reshard.finish;

import dev.reshard.control.CleanupRegistry.Kind;
import dev.reshard.control.StageUnit;
import dev.reshard.control.StageUnit.Place;
import dev.reshard.keyspace.ShardId;
import dev.reshard.migration.Migration;
import java.sql.SQLException;
import java.util.Set;
import java.util.TreeSet;

/**
 * The schema that a destination lacked and was given. It stays wherever an application may have
 * written to it: on a shard that owns buckets now, or did before. On others the cleanup registry
 * takes it away again. Stateless.
 */
final class SchemaThatStays {
  private SchemaThatStays() {}

  /** Takes what stays out of the registry; before the registry is undone. Repeatable. */
  static void keep(Migration migration) throws SQLException {
    Set<ShardId> serving = new TreeSet<>(migration.before().byShard().keySet());
    for (StageUnit unit : migration.control().units()) {
      if (unit.place() == Place.AT_DESTINATION) {
        serving.add(unit.destination());
      }
    }
    for (ShardId shard : serving) {
      migration.control().registry().forget(shard, Kind.SCHEMA_OBJECT);
    }
  }
}

package dev.reshard.cli;

import dev.reshard.keyspace.Keyspace;
import dev.reshard.keyspace.Keyspace.ShardedTable;
import dev.reshard.keyspace.Partitioning;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.ShardMap;
import dev.reshard.keyspace.TableId;
import dev.reshard.routing.StoredMap;
import dev.reshard.spec.Spec;
import java.util.List;
import java.util.Optional;

/** Where the rows of one key are, in lines. Pure. */
final class RouteView {
  private RouteView() {}

  /**
   * The lines about one key.
   *
   * @param owners the stored map, or the migration file's while none is stored
   * @throws IllegalArgumentException saying why the key cannot be placed
   */
  static List<String> lines(String key, Spec spec, Optional<StoredMap> stored, ShardMap owners) {
    Partitioning partitioning = spec.keyspace().buckets();
    int bucket;
    try {
      bucket = partitioning.bucketOf(key);
    } catch (IllegalArgumentException e) {
      boolean isNoInteger =
          e instanceof NumberFormatException && partitioning.objectionTo("bigint").isEmpty();
      throw new IllegalArgumentException(
          "'%s' is no key that '%s' can place: %s"
              .formatted(
                  key,
                  partitioning.describe(),
                  isNoInteger ? "it is not an integer" : e.getMessage()),
          e);
    }
    if (bucket == Partitioning.NO_BUCKET) {
      throw new IllegalArgumentException(
          "'%s' lies in no bucket: '%s' did not have it when the keyspace was adopted; its rows stay where your application puts them"
              .formatted(key, partitioning.describe()));
    }
    ShardId owner = owners.ownerOf(bucket);
    return List.of(
        line("bucket", "%d   (%s)".formatted(bucket, partitioning.describe())),
        line("owner", owner.name()),
        line(
            "epoch",
            stored
                .map(
                    s ->
                        "%d   (%s owns it since epoch %d)"
                            .formatted(s.map().epoch(), owner, s.since().get(bucket)))
                .orElse("none: no map is stored yet; this is 'from' of the migration file")),
        line("address", address(spec.shards().get(owner))));
  }

  /**
   * What the lines about a key mean for one table.
   *
   * @param name {@code schema.table}, or the table alone if only one has that name
   * @throws IllegalArgumentException if it is no table of the keyspace
   */
  static String table(String name, Keyspace keyspace, ShardId home) {
    for (ShardedTable table : keyspace.sharded()) {
      if (isNamed(table.id(), name)) {
        return line("table", "%s, by column %s".formatted(table.id(), table.key()));
      }
    }
    for (TableId table : keyspace.reference()) {
      if (isNamed(table, name)) {
        return line(
            "table",
            "%s has the same rows on every shard; writes go to %s, whatever the key"
                .formatted(table, home));
      }
    }
    throw new IllegalArgumentException(
        "no table %s is sharded; sharded are %s"
            .formatted(name, keyspace.sharded().stream().map(ShardedTable::id).toList()));
  }

  private static boolean isNamed(TableId table, String name) {
    return table.toString().equals(name) || table.name().equals(name);
  }

  /** Without anything that could be a secret: what stands before an @ or behind a question mark. */
  static String address(Spec.Shard shard) {
    return shard == null
        ? "unknown: the file has no shard of that name"
        : shard.url().replaceFirst("\\?.*", "").replaceFirst("//[^/]*@", "//");
  }

  private static String line(String name, String text) {
    return "%-9s %s".formatted(name, text);
  }
}

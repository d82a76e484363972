package dev.reshard.control;

import dev.reshard.keyspace.ShardId;
import java.sql.SQLException;
import java.util.Comparator;
import java.util.List;

/**
 * Everything that a migration made outside its own tables, written down <em>before</em> it was
 * made, so that nothing is left behind whatever crashes. Thread-safe.
 */
public final class CleanupRegistry {

  /** In the order in which they are undone. */
  public enum Kind {
    REPLICATION_SLOT,
    PUBLICATION,
    SEQUENCE_RANGE,
    GUARD,
    REPLICA_IDENTITY,
    INDEX,
    TOPIC,
    /** What the destination lacked of its schema; the last one made is undone first. */
    SCHEMA_OBJECT
  }

  /**
   * One thing to undo.
   *
   * @param shard where it is; for a topic the shard whose changes it carries, or the control shard
   * @param undo a SQL statement that undoes it, where the kind alone does not say how
   */
  public record Item(long id, ShardId shard, Kind kind, String name, String undo) {
    @Override
    public String toString() {
      return "%s %s on %s"
          .formatted(kind.name().toLowerCase(java.util.Locale.ROOT).replace('_', ' '), name, shard);
    }
  }

  private final String migration;
  private final Database database;

  CleanupRegistry(String migration, Database database) {
    this.migration = migration;
    this.database = database;
  }

  /** Writes an item down; one that stands already keeps its first undo. */
  public void register(ShardId shard, Kind kind, String name, String undo) throws SQLException {
    database.update(
        """
        INSERT INTO reshard.cleanup (migration, shard, kind, name, undo) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT DO NOTHING""",
        migration,
        shard.name(),
        kind.name(),
        name,
        undo);
  }

  /** What is not undone yet, in the order to undo it. */
  public List<Item> items() throws SQLException {
    return database
        .query(
            "SELECT id, shard, kind, name, undo FROM reshard.cleanup WHERE migration = ?",
            row ->
                new Item(
                    row.getLong(1),
                    new ShardId(row.getString(2)),
                    Kind.valueOf(row.getString(3)),
                    row.getString(4),
                    row.getString(5)),
            migration)
        .stream()
        .sorted(Comparator.comparing(Item::kind).thenComparing(CleanupRegistry::place))
        .toList();
  }

  private static long place(Item item) {
    return item.kind() == Kind.SCHEMA_OBJECT ? -item.id() : item.id();
  }

  /** Leaves what was made on a shard as it is, for good: nothing will undo it. */
  public void forget(ShardId shard, Kind kind) throws SQLException {
    database.update(
        "DELETE FROM reshard.cleanup WHERE migration = ? AND shard = ? AND kind = ?",
        migration,
        shard.name(),
        kind.name());
  }

  /** Takes back what was written down, as it was not made after all. */
  public void forget(ShardId shard, Kind kind, String name) throws SQLException {
    database.update(
        "DELETE FROM reshard.cleanup WHERE migration = ? AND shard = ? AND kind = ? AND name = ?",
        migration,
        shard.name(),
        kind.name(),
        name);
  }

  public void undone(Item item) throws SQLException {
    database.update("DELETE FROM reshard.cleanup WHERE id = ?", item.id());
  }
}

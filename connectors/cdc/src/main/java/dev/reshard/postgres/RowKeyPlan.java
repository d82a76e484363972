package dev.reshard.postgres;

import dev.reshard.keyspace.TableId;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * How a table's replica identity comes to contain its shard key (HAZARDS F1, F2). Immutable.
 *
 * @param kind what has to be done to the table itself
 * @param columns of the unique index, for {@link Kind#INDEX}
 * @param partitions of which all columns become the identity: theirs would say less than the
 *     table's, and what the table says is not theirs
 */
public record RowKeyPlan(
    Table table, Kind kind, List<String> columns, List<Table.Leaf> partitions) {

  /** What has to be done. */
  public enum Kind {
    /** Nothing: a change says the shard key already. */
    NOTHING,
    /** A unique index over the identity and the shard key becomes the identity. */
    INDEX,
    /** No index can: all columns become the identity. */
    FULL
  }

  /**
   * One ALTER TABLE.
   *
   * @param table it, or a partition
   * @param before what its identity is now, as ALTER TABLE writes it
   * @param sql the statement
   */
  public record Setting(TableId table, String before, String sql) {}

  public RowKeyPlan {
    columns = List.copyOf(columns);
    partitions = List.copyOf(partitions);
  }

  /** For a sharded table that has the column {@code key}. */
  public static RowKeyPlan sharded(Table table, String key) {
    Table.ReplicaIdentity identity = table.identity();
    boolean says = identity.columns().contains(key) && !isIndexThatPartitionsLack(table);
    if (identity.full() || says) {
      return of(table, Kind.NOTHING);
    }
    boolean canIndex =
        !table.partitioned()
            && !identity.columns().isEmpty()
            && identity.columns().stream().map(table::column).allMatch(Column::notNull);
    if (!canIndex) {
      return of(table, Kind.FULL);
    }
    List<String> columns = new ArrayList<>(identity.columns());
    columns.add(key);
    return new RowKeyPlan(table, Kind.INDEX, columns, List.of());
  }

  /** For a table whose rows do not move: any identity will do. */
  public static RowKeyPlan reference(Table table) {
    return of(table, table.identity().isUsable() ? Kind.NOTHING : Kind.FULL);
  }

  /** For partitions alone, of a table that is well itself. */
  public static RowKeyPlan partitions(Table table) {
    return of(table, Kind.NOTHING);
  }

  /** A new partition's identity is its primary key, whatever index its table names. */
  private static boolean isIndexThatPartitionsLack(Table table) {
    return table.partitioned() && !table.identity().columns().equals(table.primaryKey());
  }

  private static RowKeyPlan of(Table table, Kind kind) {
    List<Table.Leaf> partitions =
        kind == Kind.NOTHING
            ? table.leavesThatSayLess()
            : table.leaves().stream()
                .filter(leaf -> leaf.oid() != table.oid() && !leaf.identity().full())
                .toList();
    return new RowKeyPlan(table, kind, List.of(), partitions);
  }

  /** Whether all is well as it is. */
  public boolean isDone() {
    return kind == Kind.NOTHING && partitions.isEmpty();
  }

  /** Builds the index without stopping writers; not within a transaction. */
  public String createIndex(String index) {
    return createIndex("CONCURRENTLY ", index, "");
  }

  /**
   * Builds it in half the time, where nobody writes, with room in its pages as one has that grew by
   * itself: what catches up fills a full one to bursting.
   */
  public String createIndexWithoutWriters(String index) {
    return createIndex("", index, " WITH (fillfactor = 70)");
  }

  private String createIndex(String how, String index, String options) {
    return "CREATE UNIQUE INDEX %s%s ON %s (%s)%s"
        .formatted(
            how,
            TableId.quote(index),
            table.id().quoted(),
            columns.stream().map(TableId::quote).collect(Collectors.joining(", ")),
            options);
  }

  /** Makes the index, if there is one, or all columns the identity; of partitions first. */
  public List<Setting> settings(String index) {
    List<Setting> settings = new ArrayList<>();
    partitions.forEach(leaf -> settings.add(setting(leaf.id(), leaf.identity().setting(), "FULL")));
    if (kind != Kind.NOTHING) {
      settings.add(
          setting(
              table.id(),
              table.identity().setting(),
              kind == Kind.INDEX ? "USING INDEX " + TableId.quote(index) : "FULL"));
    }
    return settings;
  }

  private static Setting setting(TableId table, String before, String identity) {
    return new Setting(
        table, before, "ALTER TABLE %s REPLICA IDENTITY %s".formatted(table.quoted(), identity));
  }
}

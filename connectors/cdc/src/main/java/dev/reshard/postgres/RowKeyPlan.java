package dev.reshard.postgres;

import dev.reshard.keyspace.TableId;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * How a table's replica identity comes to contain its shard key (HAZARDS F1, F2). Immutable.
 *
 * @param kind what has to be done
 * @param columns of the unique index, for {@link Kind#INDEX}
 */
public record RowKeyPlan(Table table, Kind kind, List<String> columns) {

  /** What has to be done. */
  public enum Kind {
    /** Nothing: a change says the shard key already. */
    NOTHING,
    /** A unique index over the identity and the shard key becomes the identity. */
    INDEX,
    /** No index can: all columns become the identity. */
    FULL
  }

  public RowKeyPlan {
    columns = List.copyOf(columns);
  }

  /** For a sharded table that has the column {@code key}. */
  public static RowKeyPlan sharded(Table table, String key) {
    Table.ReplicaIdentity identity = table.identity();
    if (identity.full() || identity.columns().contains(key)) {
      return new RowKeyPlan(table, Kind.NOTHING, List.of());
    }
    boolean canIndex =
        !table.partitioned()
            && !identity.columns().isEmpty()
            && identity.columns().stream().map(table::column).allMatch(Column::notNull);
    if (!canIndex) {
      return new RowKeyPlan(table, Kind.FULL, List.of());
    }
    List<String> columns = new ArrayList<>(identity.columns());
    columns.add(key);
    return new RowKeyPlan(table, Kind.INDEX, columns);
  }

  /** For a table whose rows do not move: any identity will do. */
  public static RowKeyPlan reference(Table table) {
    return new RowKeyPlan(table, table.identity().isUsable() ? Kind.NOTHING : Kind.FULL, List.of());
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

  /** Makes the index, if there is one, or all columns the identity. */
  public String setIdentity(String index) {
    return "ALTER TABLE %s REPLICA IDENTITY %s"
        .formatted(
            table.id().quoted(),
            kind == Kind.INDEX ? "USING INDEX " + TableId.quote(index) : "FULL");
  }
}

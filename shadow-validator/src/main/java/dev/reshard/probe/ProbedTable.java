package dev.reshard.probe;

import dev.reshard.keyspace.Keyspace.ShardedTable;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Column;
import dev.reshard.postgres.Table;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * How one table's rows are found and digested: by the same expressions on both sides. Immutable.
 *
 * @param shardKey the column that says the bucket
 * @param key the row key's columns, the shard key included
 * @param digest a SQL expression over one row
 */
record ProbedTable(TableId id, String shardKey, List<Column> key, String digest) {

  /** Empty for a table whose rows have no key: twins cannot be told apart. */
  static Optional<ProbedTable> of(Table table, ShardedTable sharded) {
    List<String> names =
        new ArrayList<>(
            table.identity().isUsable() && !table.identity().full()
                ? table.identity().columns()
                : table.primaryKey());
    if (names.isEmpty()) {
      return Optional.empty();
    }
    if (!names.contains(sharded.key())) {
      names.add(sharded.key());
    }
    String columns = table.stored().stream().map(Column::quoted).collect(Collectors.joining(", "));
    return Optional.of(
        new ProbedTable(
            table.id(),
            sharded.key(),
            names.stream().map(table::column).toList(),
            "pg_catalog.md5(ROW(%s)::pg_catalog.text)".formatted(columns)));
  }

  /** A subquery for one row: its digest and its version; a placeholder for each part of the key. */
  String row() {
    return """
        SELECT %s AS digest, tableoid::text || ' ' || ctid::text || ' ' || xmin::text AS version
          FROM %s WHERE %s"""
        .formatted(
            digest,
            id.quoted(),
            key.stream()
                .map(c -> "%s = CAST(? AS %s)".formatted(c.quoted(), c.type()))
                .collect(Collectors.joining(" AND ")));
  }

  /**
   * The row key out of the columns that a lane names.
   *
   * @return empty if some part of the key is not among them, or null
   */
  Optional<List<String>> keyOf(List<String> columns, List<String> values) {
    List<String> found = new ArrayList<>();
    for (Column column : key) {
      int place = columns.indexOf(column.name());
      if (place < 0 || values.get(place) == null) {
        return Optional.empty();
      }
      found.add(values.get(place));
    }
    return Optional.of(found);
  }

  /** {@code id=17, tenant_id=4}. */
  String describe(List<String> values) {
    List<String> parts = new ArrayList<>();
    for (int i = 0; i < key.size(); i++) {
      parts.add(key.get(i).name() + "=" + values.get(i));
    }
    return String.join(", ", parts);
  }
}

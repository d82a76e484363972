package dev.reshard.verify;

import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import java.util.List;

/**
 * How one table compares with its copy on one destination. Immutable.
 *
 * @param sourceRows rows of the moving buckets that were compared
 * @param destinationRows rows that the destination has of them
 * @param keyColumns names of the row key's columns; empty for a table without a key
 * @param differences the first {@link #LISTED} of them, by key
 */
public record TableResult(
    TableId table,
    ShardId destination,
    long sourceRows,
    long destinationRows,
    long missing,
    long extra,
    long changed,
    List<String> keyColumns,
    List<RowDifference> differences) {
  /** How many differences are named; all are counted. */
  static final int LISTED = 100;

  public TableResult {
    keyColumns = List.copyOf(keyColumns);
    differences = List.copyOf(differences);
  }

  public boolean isEqual() {
    return missing + extra + changed == 0;
  }

  /** One line for an operator; keys only. */
  @Override
  public String toString() {
    return "%s -> %s: %d rows, %d missing, %d extra, %d changed"
        .formatted(table, destination, sourceRows, missing, extra, changed);
  }
}

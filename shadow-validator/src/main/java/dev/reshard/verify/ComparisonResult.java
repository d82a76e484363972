package dev.reshard.verify;

import dev.reshard.keyspace.ShardId;
import dev.reshard.postgres.Lsn;
import java.time.Duration;
import java.util.List;

/**
 * What a comparison of one source with its destinations found. Immutable.
 *
 * @param at the source's position at which both sides were read
 * @param held how long the lanes stood still for it
 * @param took the whole comparison
 */
public record ComparisonResult(
    ShardId source, Lsn at, Duration held, Duration took, List<TableResult> tables) {
  public ComparisonResult {
    tables = List.copyOf(tables);
  }

  public boolean isEqual() {
    return tables.stream().allMatch(TableResult::isEqual);
  }

  public long rows() {
    return tables.stream().mapToLong(TableResult::sourceRows).sum();
  }
}

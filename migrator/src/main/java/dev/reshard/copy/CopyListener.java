package dev.reshard.copy;

import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import java.util.Map;

/**
 * Is told how far a copy has come. Called by one thread of a source at a time; must not block for
 * long.
 */
@FunctionalInterface
public interface CopyListener {

  /**
   * How far one table of one source has come, since the copy began. Immutable.
   *
   * @param blocks pages of 8 KiB that were read
   * @param totalBlocks pages that the table had when it was measured
   * @param bytes what was sent to destinations
   * @param rows by destination
   */
  record Progress(
      ShardId source,
      TableId table,
      long blocks,
      long totalBlocks,
      long bytes,
      Map<ShardId, Long> rows) {}

  /**
   * A source's copy begins, or begins again from nothing.
   *
   * @param totalBlocks pages of 8 KiB of each of its tables
   */
  default void begins(ShardId source, Map<TableId, Long> totalBlocks) {}

  void copied(Progress progress);
}

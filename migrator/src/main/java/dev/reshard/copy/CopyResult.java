package dev.reshard.copy;

import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Lsn;
import java.util.Map;
import java.util.Optional;

/**
 * What the destinations hold of one source's copy. Immutable.
 *
 * @param anchor the position at which they equal the source
 * @param complete false if the copy was stopped in between
 * @param rows by table and destination, as the destinations' ledgers have it
 * @param strays by table, of tables that have some; of a copy that was stopped, those found so far
 * @param inVain a table without a key that was begun and not copied whole, if no such table became
 *     whole: another copy that is given as long ends like this one
 */
public record CopyResult(
    ShardId source,
    Lsn anchor,
    boolean complete,
    Map<TableId, Map<ShardId, Long>> rows,
    Map<TableId, Strays> strays,
    Optional<Begun> inVain) {

  /**
   * A table that is not whole, and whose copy begins again with the next round (HAZARDS F3).
   *
   * @param blocks pages of 8 KiB that were copied
   * @param totalBlocks pages that it had when it was measured
   */
  public record Begun(TableId table, long blocks, long totalBlocks) {}
}

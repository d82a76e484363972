package dev.reshard.copy;

import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.CopyWriter.Batches;
import java.time.Duration;
import java.util.List;

/**
 * How a source is copied. Immutable.
 *
 * @param workers how many chunks of one source are copied at a time
 * @param chunkBlocks pages of 8 KiB in a chunk: what one transaction loads, and what is done again
 *     after a failure
 * @param batches how rows are gathered for a destination
 * @param first tables that are copied before all others, in this order
 * @param maxRowBytes a larger row ends the copy, by name
 * @param timeout a chunk of which no rows have come or gone for so long is tried again
 */
public record CopyOptions(
    int workers,
    int chunkBlocks,
    Batches batches,
    long maxRowBytes,
    List<TableId> first,
    Duration timeout) {
  /** Chunks of 32 MiB: about a second each, so that a stop is soon and a lock on a table short. */
  public static final CopyOptions DEFAULT = new CopyOptions(4, 4096);

  public CopyOptions {
    if (workers < 1 || chunkBlocks < 1) {
      throw new IllegalArgumentException("workers and chunkBlocks must be >= 1");
    }
    first = List.copyOf(first);
  }

  public CopyOptions(int workers, int chunkBlocks) {
    this(workers, chunkBlocks, Batches.DEFAULT, Long.MAX_VALUE, List.of(), Duration.ofMinutes(5));
  }

  /** Smaller comes first. */
  int rank(TableId table) {
    int place = first.indexOf(table);
    return place < 0 ? first.size() : place;
  }
}

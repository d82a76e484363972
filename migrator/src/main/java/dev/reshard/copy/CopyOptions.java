package dev.reshard.copy;

/**
 * How a source is copied. Immutable.
 *
 * @param workers how many chunks of one source are copied at a time
 * @param chunkBlocks pages of 8 KiB in a chunk: what one transaction loads, and what is done again
 *     after a failure
 */
public record CopyOptions(int workers, int chunkBlocks) {
  /** Chunks of 32 MiB: about a second each, so that a stop is soon and a lock on a table short. */
  public static final CopyOptions DEFAULT = new CopyOptions(4, 4096);

  public CopyOptions {
    if (workers < 1 || chunkBlocks < 1) {
      throw new IllegalArgumentException("workers and chunkBlocks must be >= 1");
    }
  }
}

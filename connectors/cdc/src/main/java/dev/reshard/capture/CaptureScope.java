package dev.reshard.capture;

import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.Keyspace;

/**
 * Which changes of a shard are published. Immutable.
 *
 * @param moving the buckets that leave or enter the shard
 * @param reference whether this shard is the home of the reference tables, whose changes then go to
 *     every destination
 * @param maxRowBytes the most text that a row may have, if the heap has room for it; a larger one
 *     ends capture, by name
 */
public record CaptureScope(
    Keyspace keyspace, BucketSet moving, boolean reference, long maxRowBytes) {

  /** The heap that one row may take: copies of it are with capture and with a lane at a time. */
  private static final int SHARE_OF_HEAP = 8;

  /**
   * The most text that a row, or the rows that wait for a statement's end, may have in this heap.
   */
  static long roomInHeap() {
    return Runtime.getRuntime().maxMemory() / SHARE_OF_HEAP;
  }

  /** Of rows of any size that fits into memory. */
  public CaptureScope(Keyspace keyspace, BucketSet moving, boolean reference) {
    this(keyspace, moving, reference, Long.MAX_VALUE);
  }
}

package dev.reshard.keyspace;

/** Buckets that leave {@code source} for {@code destination}. Immutable. */
public record Move(ShardId source, ShardId destination, BucketSet buckets) {
  public Move {
    if (source.equals(destination) || buckets.isEmpty()) {
      throw new IllegalArgumentException("a move takes some bucket to another shard");
    }
  }

  /** The way back of this move. */
  public Move reversed() {
    return new Move(destination, source, buckets);
  }
}

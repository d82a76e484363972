package dev.reshard.postgres;

import dev.reshard.keyspace.ShardId;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * How far the shards' clocks are from this machine's, as far as an answer proves it: one says what
 * the time was there somewhere between question and answer. A difference that may be the answer's
 * own time counts as none. Thread-safe.
 */
final class ServerClocks {
  private final Map<ShardId, Long> aheadMillis = new ConcurrentHashMap<>();

  /** All in milliseconds since 1970, the first and the last by this machine's clock. */
  void answered(ShardId shard, long asked, long there, long answered) {
    long least = there - answered;
    long most = there - asked;
    aheadMillis.put(shard, Math.max(least, Math.min(0, most)));
  }

  /** What a shard's clock shows; this machine's time if it has not been asked yet. */
  Instant now(ShardId shard) {
    return Instant.now().plusMillis(aheadMillis.getOrDefault(shard, 0L));
  }
}

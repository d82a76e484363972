package dev.reshard.routing;

import dev.reshard.keyspace.ShardId;
import java.sql.SQLNonTransientException;
import java.util.Map;

/**
 * One transaction was asked for over buckets that two shards own; nothing was run. Such a
 * transaction may have worked before one of its buckets moved, and cannot work now.
 */
public final class DifferentOwnersException extends SQLNonTransientException {
  private final Map<Integer, ShardId> owners;

  DifferentOwnersException(Map<Integer, ShardId> owners) {
    super(
        """
        A transaction runs on one shard, but these buckets have different owners: %s. Nothing was \
        run. Use a transaction for each, or keys of one bucket."""
            .formatted(owners));
    this.owners = Map.copyOf(owners);
  }

  /** Each bucket of the transaction and who owns it. */
  public Map<Integer, ShardId> owners() {
    return owners;
  }
}

package dev.reshard.routing;

import dev.reshard.keyspace.ShardId;
import java.sql.SQLNonTransientConnectionException;

/**
 * The answer to COMMIT was lost: the transaction is either wholly there or wholly absent. The
 * router does not run it again, as it might then be there twice. SQLSTATE {@code 08007}
 * (transaction resolution unknown).
 */
public final class CommitUnknownException extends SQLNonTransientConnectionException {
  CommitUnknownException(ShardId shard, Exception cause) {
    super(
        """
        Shard %s: the answer to COMMIT was lost, so the transaction is either wholly there or \
        wholly absent. Look for something that only it wrote before running it again."""
            .formatted(shard),
        "08007",
        cause);
  }
}

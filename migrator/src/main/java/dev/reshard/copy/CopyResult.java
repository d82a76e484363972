package dev.reshard.copy;

import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Lsn;
import java.util.Map;

/**
 * What the destinations hold of one source's copy. Immutable.
 *
 * @param anchor the position at which they equal the source
 * @param complete false if the copy was stopped in between
 * @param rows by table and destination, as the destinations' ledgers have it
 * @param strays by table, of tables that have some; of a copy that was stopped, those found so far
 */
public record CopyResult(
    ShardId source,
    Lsn anchor,
    boolean complete,
    Map<TableId, Map<ShardId, Long>> rows,
    Map<TableId, Strays> strays) {}

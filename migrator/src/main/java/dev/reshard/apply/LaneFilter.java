package dev.reshard.apply;

import dev.reshard.change.RowChange;
import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.Keyspace;
import dev.reshard.keyspace.TableId;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What a change on the source means for one lane's destination: a row that enters the lane's
 * buckets is inserted there, one that leaves them is deleted. Pure, immutable.
 */
final class LaneFilter {

  /** What is to be done at the destination. */
  enum Fate {
    IGNORE,
    INSERT,
    UPDATE,
    DELETE,
    TRUNCATE
  }

  private final BucketSet buckets;
  private final boolean reference;
  private final Set<TableId> sharded;
  private final Set<TableId> references;
  private final Set<TableId> absent;

  /**
   * @param absent tables whose changes are left out
   */
  LaneFilter(BucketSet buckets, boolean reference, Keyspace keyspace, Set<TableId> absent) {
    this.absent = absent;
    this.buckets = buckets;
    this.reference = reference;
    this.sharded =
        keyspace.sharded().stream().map(Keyspace.ShardedTable::id).collect(Collectors.toSet());
    this.references = Set.copyOf(keyspace.reference());
  }

  /**
   * @throws LaneException if the keyspace does not know the table
   */
  Fate of(RowChange change) {
    TableId table = change.table().id();
    if (absent.contains(table)) {
      return Fate.IGNORE;
    }
    if (references.contains(table)) {
      return reference ? same(change) : Fate.IGNORE;
    }
    if (!sharded.contains(table)) {
      throw new LaneException(
          LaneException.Problem.TABLE_DIFFERS,
          "table %s is published by the source, but neither a sharded nor a reference table"
              .formatted(table));
    }
    if (change.kind() == RowChange.Kind.TRUNCATE) {
      return buckets.isEmpty() ? Fate.IGNORE : Fate.TRUNCATE;
    }
    boolean was = buckets.contains(change.oldBucket());
    boolean is = buckets.contains(change.newBucket());
    if (was && is) {
      return Fate.UPDATE;
    }
    return was ? Fate.DELETE : is ? Fate.INSERT : Fate.IGNORE;
  }

  /**
   * Whether a change must be refused because its bucket has left the source. A TRUNCATE has no
   * bucket: it emptied also what the source keeps of the buckets that left, so the way back is not
   * whole any more, and somebody has to know.
   */
  boolean isViolation(RowChange change, BucketSet muted) {
    if (change.kind() == RowChange.Kind.TRUNCATE) {
      return sharded.contains(change.table().id()) && muted.intersects(buckets);
    }
    return change.touches(muted);
  }

  private static Fate same(RowChange change) {
    return switch (change.kind()) {
      case INSERT -> Fate.INSERT;
      case UPDATE -> Fate.UPDATE;
      case DELETE -> Fate.DELETE;
      case TRUNCATE -> Fate.TRUNCATE;
    };
  }
}

package dev.reshard.capture;

import dev.reshard.capture.CaptureException.Reason;
import dev.reshard.change.RowChange;
import dev.reshard.change.TextTuple;
import dev.reshard.change.TransactionEncoder;
import dev.reshard.postgres.Lsn;
import dev.reshard.postgres.Marker;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.IdentityHashMap;
import java.util.List;

/**
 * Passes on what belongs into the topic: changes of rows that are, or were, in a moving bucket and
 * of reference tables, fence tokens, heartbeats. Our own transactions, which begin with our marker,
 * are dropped whole (HAZARDS F15). Confined to one thread.
 */
final class ScopeFilter implements ChangeHandler {
  private static final int MOST_TABLES = 10_000;

  private final CaptureScope scope;
  private final Marker marker;
  private final TransactionEncoder encoder;
  private final HeldRows held;
  private final long maxRowBytes;
  private final IdentityHashMap<Relation, ScopedTable> tables = new IdentityHashMap<>();

  private boolean skipping;
  private boolean heartbeat;
  private boolean anyChange;

  ScopeFilter(CaptureScope scope, Marker marker, TransactionEncoder encoder) {
    this.scope = scope;
    this.marker = marker;
    this.encoder = encoder;
    this.maxRowBytes = Math.min(scope.maxRowBytes(), CaptureScope.roomInHeap());
    this.held = new HeldRows(encoder::row, CaptureScope.roomInHeap());
  }

  @Override
  public void begin(Lsn commit, Instant committed) {
    skipping = false;
    heartbeat = false;
    anyChange = false;
    held.clear();
    encoder.begin(commit, committed);
  }

  @Override
  public boolean isSkipping() {
    return skipping;
  }

  @Override
  public void insert(Relation relation, TextTuple row) {
    anyChange = true;
    ScopedTable table = scoped(relation);
    int bucket = table.bucketOf(row);
    if (isWanted(table, bucket, bucket)) {
      requireSmall(table, row);
      held.add(table.table(), RowChange.Kind.INSERT, RowChange.NO_BUCKET, bucket, null, row);
    }
  }

  @Override
  public void update(Relation relation, TextTuple old, boolean oldIsWhole, TextTuple sent) {
    anyChange = true;
    ScopedTable table = scoped(relation);
    table.requireShardKeyIn(old);
    TextTuple row = table.ignoring(old == null ? sent : filled(table, old, oldIsWhole, sent));
    int newBucket = table.bucketOf(row);
    int oldBucket = old == null ? newBucket : table.bucketOf(old);
    if (!isWanted(table, oldBucket, newBucket)) {
      return;
    }
    requireSmall(table, row);
    TextTuple key = old == null ? null : old.pick(table.table().key());
    if (oldBucket != newBucket && scope.moving().contains(newBucket) && row.hasUnchanged()) {
      held.addIncomplete(table.table(), oldBucket, newBucket, key, row);
    } else {
      held.add(table.table(), RowChange.Kind.UPDATE, oldBucket, newBucket, key, row);
    }
  }

  @Override
  public void delete(Relation relation, TextTuple old) {
    anyChange = true;
    ScopedTable table = scoped(relation);
    table.requireShardKeyIn(old);
    int bucket = table.bucketOf(old);
    if (isWanted(table, bucket, bucket)) {
      held.add(
          table.table(),
          RowChange.Kind.DELETE,
          bucket,
          RowChange.NO_BUCKET,
          old.pick(table.table().key()),
          null);
    }
  }

  @Override
  public void truncate(List<Relation> relations) {
    anyChange = true;
    for (Relation relation : relations) {
      ScopedTable table = scoped(relation);
      if (table.published()) {
        held.add(
            table.table(),
            RowChange.Kind.TRUNCATE,
            RowChange.NO_BUCKET,
            RowChange.NO_BUCKET,
            null,
            null);
      }
    }
  }

  @Override
  public void message(String prefix, byte[] content) {
    if (prefix.equals(marker.prefix())) {
      if (anyChange) {
        throw new CaptureException(
            Reason.MARKER_NOT_FIRST,
            "a transaction carries this migration's marker, but not as its first change: whether "
                + "the changes before it are an application's cannot be told. This is a bug; "
                + "nothing of the transaction was published.");
      }
      skipping = true;
    }
    anyChange = true;
    switch (prefix) {
      case Marker.HEARTBEAT -> heartbeat = true;
      case Marker.FENCE -> token(new String(content, StandardCharsets.UTF_8));
      case Marker.ROW -> held.tell(content);
      default -> {
        // somebody else's
      }
    }
  }

  private void token(String token) {
    if (marker.isOwnToken(token)) {
      encoder.token(token);
    }
  }

  @Override
  public void commit(Lsn end) {
    held.requireNone();
    if (heartbeat || !encoder.isEmpty()) {
      encoder.commit(end);
    }
  }

  /** A server announces a table anew for each partition, and whenever it forgot it. */
  private ScopedTable scoped(Relation relation) {
    if (tables.size() > MOST_TABLES) {
      tables.clear();
    }
    return tables.computeIfAbsent(relation, r -> ScopedTable.of(r, scope));
  }

  private boolean isWanted(ScopedTable table, int oldBucket, int newBucket) {
    return table.isSharded()
        ? scope.moving().contains(oldBucket) || scope.moving().contains(newBucket)
        : table.published();
  }

  private void requireSmall(ScopedTable table, TextTuple row) {
    if (row.textBytes() > maxRowBytes) {
      throw table.tooLarge(row, row.textBytes(), maxRowBytes);
    }
  }

  /** The new row with what only the old one tells: all of it, or a key that is out of line. */
  private static TextTuple filled(
      ScopedTable table, TextTuple old, boolean oldIsWhole, TextTuple row) {
    TextTuple result = row;
    for (int i = 0; i < row.size(); i++) {
      if (row.isUnchanged(i) && (oldIsWhole || table.table().key().contains(i))) {
        result = result.with(i, old, i);
      }
    }
    return result;
  }
}

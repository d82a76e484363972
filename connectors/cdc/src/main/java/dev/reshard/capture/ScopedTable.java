package dev.reshard.capture;

import dev.reshard.capture.CaptureException.Reason;
import dev.reshard.change.ChangedTable;
import dev.reshard.change.RowChange;
import dev.reshard.change.TextTuple;
import dev.reshard.keyspace.Keyspace;
import dev.reshard.keyspace.Partitioning;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A table of the stream, as the scope sees it. Immutable.
 *
 * @param shardKey position of the shard key's column; -1 for a reference table
 * @param full whether changes are announced to say the whole old row
 * @param published whether its changes are published at all
 * @param ignored positions of columns that the migration file leaves out
 */
record ScopedTable(
    ChangedTable table,
    int shardKey,
    boolean full,
    boolean published,
    Partitioning partitioning,
    List<Integer> ignored) {
  /** A longer one is cut in messages. */
  private static final int LONGEST_KEY = 80;

  ScopedTable {
    ignored = List.copyOf(ignored);
  }

  /**
   * @throws CaptureException if the table is none of the keyspace's, or lost its shard key's column
   */
  static ScopedTable of(Relation relation, CaptureScope scope) {
    ChangedTable table = new ChangedTable(relation.id(), relation.columns(), relation.key());
    Keyspace keyspace = scope.keyspace();
    Set<String> left = keyspace.ignoredOf(relation.id());
    List<Integer> ignored =
        IntStream.range(0, relation.columns().size())
            .filter(place -> left.contains(relation.columns().get(place)))
            .boxed()
            .toList();
    if (keyspace.reference().contains(relation.id())) {
      return new ScopedTable(
          table, -1, relation.full(), scope.reference(), keyspace.partitioning(), ignored);
    }
    Optional<Keyspace.ShardedTable> sharded =
        keyspace.sharded().stream().filter(t -> t.id().equals(relation.id())).findFirst();
    if (sharded.isEmpty()) {
      throw new CaptureException(
          Reason.UNKNOWN_TABLE,
          ("table %s is in the publication, but keyspace %s knows it neither as sharded nor as a "
                  + "reference table, so its changes belong nowhere. Take it out of the "
                  + "publication, or name it in the migration file and begin again.")
              .formatted(relation.id(), keyspace.name()));
    }
    int shardKey = relation.columns().indexOf(sharded.get().key());
    if (shardKey < 0) {
      throw new CaptureException(
          Reason.SHARD_KEY_MISSING,
          "table %s has no column %s any more, so its changes have no bucket"
              .formatted(relation.id(), sharded.get().key()));
    }
    return new ScopedTable(
        table, shardKey, relation.full(), true, keyspace.partitioning(), ignored);
  }

  boolean isSharded() {
    return shardKey >= 0;
  }

  /** A row that waits for no value of a column that nobody copies (HAZARDS F9). */
  TextTuple ignoring(TextTuple row) {
    TextTuple result = row;
    for (int place : ignored) {
      if (result.isUnchanged(place)) {
        result = result.with(place, null);
      }
    }
    return result;
  }

  /** The bucket of a row; {@link RowChange#NO_BUCKET} in a reference table or without a key. */
  int bucketOf(TextTuple row) {
    if (!isSharded() || row.isNull(shardKey)) {
      return RowChange.NO_BUCKET;
    }
    try {
      return partitioning.bucketOf(row.text(shardKey));
    } catch (IllegalArgumentException e) {
      throw new CaptureException(
          Reason.UNPLACEABLE_KEY,
          "a row of table %s has a shard key (column %s) that '%s' cannot place"
              .formatted(table.id(), table.columns().get(shardKey), partitioning.describe()));
    }
  }

  /** Why a row cannot be taken; names it by its key. */
  CaptureException tooLarge(TextTuple row, long bytes, long limit) {
    String key =
        table.key().stream()
            .map(column -> table.columns().get(column) + " = " + shortened(row.text(column)))
            .collect(Collectors.joining(", "));
    return new CaptureException(
        Reason.ROW_TOO_LARGE,
        ("the row of table %s with %s takes %s as text (bytea takes two characters for each byte), "
                + "and this worker takes %s at most (budget.max_row and an eighth of its heap). Its "
                + "change, and all after it, are not replicated; do not cut over. Raise "
                + "budget.max_row in the file above that, start the worker anew with a heap (-Xmx) "
                + "of eight times as much, then 'reshard resume'.")
            .formatted(table.id(), key, size(bytes), size(limit)));
  }

  private static String shortened(String value) {
    return value != null && value.length() > LONGEST_KEY
        ? value.substring(0, LONGEST_KEY) + ".."
        : value;
  }

  private static String size(long bytes) {
    return bytes < 10 << 20 ? (bytes >> 10) + " KB" : (bytes >> 20) + " MB";
  }

  /**
   * What is announced is the table's identity, what comes is that of the partition that the row
   * lies in, which may say less. A shard key is never NULL.
   *
   * @param old null if none was sent, as where an UPDATE leaves the identity's columns as they are
   * @throws CaptureException if an old row of this table does not tell its shard key
   */
  void requireShardKeyIn(TextTuple old) {
    boolean lacks = old == null ? full : isSharded() && old.isNull(shardKey);
    if (lacks || (isSharded() && !table.key().contains(shardKey))) {
      throw new CaptureException(
          Reason.IDENTITY_LACKS_SHARD_KEY,
          ("a row of table %s was updated or deleted, and the table's replica identity, or that of "
                  + "its partition, does not contain its shard key %s: whose row it was cannot be told, and the change is "
                  + "lost to the destinations. 'reshard check --fixes' prints how to give the table "
                  + "another identity; then begin again from a new anchor.")
              .formatted(table.id(), isSharded() ? table.columns().get(shardKey) : "(none)"));
    }
  }
}

package dev.reshard.preflight;

import dev.reshard.keyspace.Keyspace.ShardedTable;
import dev.reshard.keyspace.Move;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;

/**
 * What moves to each destination, in bytes, against what the file says is free there: SQL cannot
 * see a disk. Immutable.
 */
final class DiskSpace implements Check {
  private static final long GB = 1L << 30;

  /** Rows arrive with their WAL, and indexes are built beside the old ones. */
  private static final double ROOM = 1.5;

  private final Subject subject;

  DiskSpace(Subject subject) {
    this.subject = subject;
  }

  @Override
  public String name() {
    return "disk space";
  }

  @Override
  public List<Finding> look() {
    List<Finding> findings = new ArrayList<>();
    if (subject.begun()) {
      return findings; // what moves may be there already
    }
    for (ShardId destination : subject.moves().destinations()) {
      long bytes = (long) (ROOM * coming(destination));
      OptionalLong free = subject.spec().shards().get(destination).diskFree();
      if (free.isPresent() && free.getAsLong() < bytes) {
        findings.add(
            Finding.blocker(
                    "needs about %s, but disk_free is %s"
                        .formatted(text(bytes), text(free.getAsLong())))
                .at(destination)
                .todo("give it a larger disk, or move less"));
      } else if (free.isEmpty() && bytes >= GB) {
        findings.add(
            Finding.note(
                    "needs about %s, and how much is free cannot be seen from here"
                        .formatted(text(bytes)))
                .at(destination)
                .todo(
                    "look, and write it into the file: shards: { %s: { url: .., disk_free: .. } }"
                        .formatted(destination)));
      }
    }
    return findings;
  }

  /** Each source's tables by the share of its buckets that moves, and all of reference tables. */
  private double coming(ShardId destination) {
    double bytes = 0;
    for (Move move : subject.moves().to(destination)) {
      double share =
          (double) move.buckets().size() / subject.plan().current().bucketsOf(move.source()).size();
      for (ShardedTable table : subject.keyspace().sharded()) {
        bytes += share * subject.size(move.source(), table.id()).bytes();
      }
    }
    if (subject.newShards().contains(destination)) {
      for (TableId reference : subject.keyspace().reference()) {
        bytes += subject.size(subject.spec().control(), reference).bytes();
      }
    }
    return bytes;
  }

  private static String text(long bytes) {
    return bytes >= GB
        ? String.format(Locale.ROOT, "%.1f GB", (double) bytes / GB)
        : String.format(Locale.ROOT, "%.1f MB", (double) bytes / (1 << 20));
  }
}

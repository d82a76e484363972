package dev.reshard.guard;

import dev.reshard.keyspace.BucketSet;
import dev.reshard.sandbox.SandboxShard;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** What a shard committed, in the order of its WAL, as logical decoding tells it. */
final class CommitOrder implements AutoCloseable {
  private static final Pattern MESSAGE =
      Pattern.compile("message: .* prefix: (\\S+), .* content:(.*)");
  private static final Pattern KEY = Pattern.compile("customer\\[bigint\\]:(\\d+)");

  private final SandboxShard shard;
  private final String slot;

  private CommitOrder(SandboxShard shard, String slot) {
    this.shard = shard;
    this.slot = slot;
  }

  /** One thing in a committed transaction: a message, or a row change of some buckets. */
  record Entry(String prefix, String content, BucketSet buckets) {
    boolean isMessage() {
      return !prefix.isEmpty();
    }
  }

  static CommitOrder from(SandboxShard shard) throws SQLException {
    String slot = "order_" + shard.database();
    shard.query("SELECT pg_create_logical_replication_slot('%s', 'test_decoding')".formatted(slot));
    return new CommitOrder(shard, slot);
  }

  /** Everything since the last call. */
  List<Entry> read() throws SQLException {
    List<Entry> entries = new ArrayList<>();
    for (String line :
        shard.query(
            "SELECT data FROM pg_logical_slot_get_changes('%s', NULL, NULL)".formatted(slot))) {
      Matcher message = MESSAGE.matcher(line);
      if (message.matches()) {
        entries.add(new Entry(message.group(1), message.group(2), BucketSet.empty()));
      } else if (line.startsWith("table public.orders:")) {
        BucketSet buckets =
            KEY.matcher(line)
                .results()
                .map(match -> BucketSet.of((int) (Long.parseLong(match.group(1)) % 16)))
                .reduce(BucketSet.empty(), BucketSet::plus);
        entries.add(new Entry("", line, buckets));
      }
    }
    return entries;
  }

  /** Puts a mark into the order, after everything that is committed. */
  static void mark(Connection connection, String content) throws SQLException {
    GuardedShard.execute(
        connection, "SELECT pg_logical_emit_message(true, 'test.mark', '%s')".formatted(content));
  }

  static String text(List<Entry> entries) {
    return entries.stream().map(Entry::content).collect(Collectors.joining("\n"));
  }

  @Override
  public void close() throws SQLException {
    shard.query("SELECT pg_drop_replication_slot('%s')".formatted(slot));
  }
}

package dev.reshard.capture;

import dev.reshard.change.TransactionEncoder;
import dev.reshard.postgres.Lsn;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Records that were made and wait to be handed to the engine, several at once where many come: what
 * the engine does for each message would cost more than a small transaction itself. Confined to the
 * stream's thread.
 */
final class Outbox {

  /**
   * A record of the change topic.
   *
   * @param end of the transaction, if the record is its last; else null
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Entry(byte[] record, Lsn end) {}

  private static final int ENTRY_OVERHEAD = Long.BYTES + Integer.BYTES;

  /** One message of the server does not make more than this, unless it is a large row. */
  private static final int FULL_BYTES = 4 * TransactionEncoder.CHUNK_BYTES;

  /** What comes sooner after the last message, in nanoseconds, is worth waiting for more. */
  private static final long CLOSE_NANOS = Duration.ofMillis(4).toNanos();

  private final Progress progress;
  private final List<Entry> entries = new ArrayList<>();
  private Runnable whenFull = () -> {};
  private int bytes;
  private long drainedAtNanos = System.nanoTime() - CLOSE_NANOS;

  Outbox(Progress progress) {
    this.progress = progress;
  }

  /** From now on {@code empty} is called when it is full: it must {@link #drain} it. */
  void whenFull(Runnable empty) {
    whenFull = empty;
  }

  /** Adds a record; a row in pieces adds as many as it has. */
  void add(byte[] record, Lsn end) {
    if (bytes >= FULL_BYTES) {
      whenFull.run();
    }
    progress.sent(record.length);
    entries.add(new Entry(record, end));
    bytes += record.length;
  }

  boolean isEmpty() {
    return entries.isEmpty();
  }

  /**
   * Whether not to wait for more: it is full, or Kafka has all that went before, which was a while
   * ago. In between a message for each small transaction would cost Kafka more than it gains; that
   * holds until the stream pauses, a few milliseconds at most.
   */
  boolean isDue() {
    return !entries.isEmpty()
        && (bytes >= TransactionEncoder.CHUNK_BYTES
            || (progress.bytesInFlight() == bytes
                && System.nanoTime() - drainedAtNanos >= CLOSE_NANOS));
  }

  /** Takes all entries out, as the content of one message; {@link #read} reads it. */
  byte[] drain() {
    ByteBuffer content = ByteBuffer.allocate(bytes + entries.size() * ENTRY_OVERHEAD);
    for (Entry entry : entries) {
      content.putLong(entry.end() == null ? 0 : entry.end().value());
      content.putInt(entry.record().length);
      content.put(entry.record());
    }
    entries.clear();
    bytes = 0;
    drainedAtNanos = System.nanoTime();
    return content.array();
  }

  /** The entries that {@link #drain} took out. */
  static List<Entry> read(byte[] message) {
    List<Entry> entries = new ArrayList<>();
    ByteBuffer content = ByteBuffer.wrap(message);
    while (content.hasRemaining()) {
      long end = content.getLong();
      byte[] record = new byte[content.getInt()];
      content.get(record);
      entries.add(new Entry(record, end == 0 ? null : new Lsn(end)));
    }
    return entries;
  }
}

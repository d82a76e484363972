package dev.reshard.capture;

import dev.reshard.change.ChangeWriter;
import dev.reshard.postgres.Lsn;
import java.util.ArrayDeque;
import java.util.Queue;

/** Records that were made and wait to be handed to the engine. Confined to the stream's thread. */
final class Outbox {

  /**
   * A record of the change topic.
   *
   * @param end of the transaction, if the record is its last; else null
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Entry(byte[] record, Lsn end) {}

  private final Progress progress;
  private final Queue<Entry> entries = new ArrayDeque<>();

  Outbox(Progress progress) {
    this.progress = progress;
  }

  /**
   * @throws CaptureException {@code ROW_TOO_LARGE} if Kafka would refuse it
   */
  void add(byte[] record, Lsn end) {
    if (record.length > ChangeWriter.MAX_RECORD_BYTES - 1024) {
      throw new CaptureException(
          CaptureException.Reason.ROW_TOO_LARGE,
          "a row takes %d bytes as text; %d at most fit into a record of the change topic"
              .formatted(record.length, ChangeWriter.MAX_RECORD_BYTES - 1024));
    }
    progress.sent(record.length);
    entries.add(new Entry(record, end));
  }

  /** The oldest entry; null if there is none. */
  Entry poll() {
    return entries.poll();
  }
}

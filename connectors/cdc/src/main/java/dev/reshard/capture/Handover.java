package dev.reshard.capture;

import dev.reshard.change.ChangeWriter;
import dev.reshard.postgres.Lsn;
import io.debezium.engine.DebeziumEngine;
import io.debezium.engine.RecordChangeEvent;
import java.util.List;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.source.SourceRecord;

/**
 * Sends what the engine has read to Kafka, without waiting. Marks nothing as processed for the
 * engine: what PostgreSQL may forget follows from {@link Progress}, which hears of
 * acknowledgements, not from an offset. Called by one thread of the engine.
 */
final class Handover implements DebeziumEngine.ChangeConsumer<RecordChangeEvent<SourceRecord>> {
  private final ChangeWriter writer;
  private final Progress progress;

  Handover(ChangeWriter writer, Progress progress) {
    this.writer = writer;
    this.progress = progress;
  }

  @Override
  public void handleBatch(
      List<RecordChangeEvent<SourceRecord>> batch,
      DebeziumEngine.RecordCommitter<RecordChangeEvent<SourceRecord>> ignored) {
    for (RecordChangeEvent<SourceRecord> event : batch) {
      byte[] record = content(event.record());
      Lsn end = end(event.record());
      writer.send(record, offset -> progress.acknowledged(record.length, end));
    }
  }

  private static Lsn end(SourceRecord event) {
    String prefix = message(event).getString("prefix");
    return prefix.isEmpty() ? null : Lsn.parse(prefix);
  }

  private static byte[] content(SourceRecord event) {
    return message(event).getBytes("content");
  }

  private static Struct message(SourceRecord event) {
    return ((Struct) event.value()).getStruct("message");
  }
}

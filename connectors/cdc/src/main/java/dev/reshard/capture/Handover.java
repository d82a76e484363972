package dev.reshard.capture;

import dev.reshard.change.ChangeWriter;
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
      Struct message = ((Struct) event.record().value()).getStruct("message");
      for (Outbox.Entry entry : Outbox.read(message.getBytes("content"))) {
        int bytes = entry.record().length;
        writer.send(entry.record(), offset -> progress.acknowledged(bytes, entry.end()));
      }
    }
  }
}

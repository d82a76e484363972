package dev.reshard.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.reshard.change.ChangeException;
import dev.reshard.change.ChunkSummary;
import dev.reshard.postgres.Lsn;
import dev.reshard.topics.ShadowRead;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Locale;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** A topic's record as one line of JSON, without values of rows. Pure. */
final class RecordLine {
  private static final ObjectMapper JSON = new ObjectMapper();

  private RecordLine() {}

  /** JSON as it is in the topic; Avro decoded; what cannot be read says so. */
  static String of(TopicKind kind, ConsumerRecord<byte[], byte[]> record) {
    return switch (kind) {
      case CHANGES, SHADOW_READS -> decoded(kind, record).toString();
      case EVENTS, ROUTING, MISMATCHES, MISMATCH_RATE ->
          record.value() == null
              ? unreadable(record, "deleted").toString()
              : new String(record.value(), StandardCharsets.UTF_8);
      case INTERNAL -> unreadable(record, "the shadow validator's own").toString();
    };
  }

  private static ObjectNode decoded(TopicKind kind, ConsumerRecord<byte[], byte[]> record) {
    ObjectNode json = envelope(record);
    try {
      if (kind == TopicKind.CHANGES) {
        putChunk(json, ChunkSummary.of(record.value()));
      } else {
        putRead(json, ShadowRead.decode(record.value()));
      }
      return json;
    } catch (ChangeException | IllegalArgumentException e) {
      return unreadable(record, "no record of this version");
    }
  }

  private static ObjectNode envelope(ConsumerRecord<byte[], byte[]> record) {
    ObjectNode json = JSON.createObjectNode();
    json.put("offset", record.offset());
    json.put("time", Instant.ofEpochMilli(record.timestamp()).toString());
    return json;
  }

  private static ObjectNode unreadable(ConsumerRecord<byte[], byte[]> record, String why) {
    return envelope(record).put("unreadable", why);
  }

  private static void putChunk(ObjectNode json, ChunkSummary chunk) {
    json.put("incarnation", chunk.incarnation());
    json.put("commit", chunk.commit().toString());
    json.put("chunk", chunk.index());
    json.put("committed", chunk.committed().map(Instant::toString).orElse(null));
    json.put("end", chunk.end().map(end -> end.end().toString()).orElse(null));
    json.put("previous", chunk.end().map(end -> end.previous().toString()).orElse(null));
    json.put("chunks", chunk.end().map(ChunkSummary.End::chunks).orElse(null));
    json.put("rows", chunk.end().map(ChunkSummary.End::rows).orElse(null));
    chunk.tokens().forEach(json.putArray("tokens")::add);
    ArrayNode tables = json.putArray("tables");
    for (ChunkSummary.Changes changes : chunk.tables()) {
      ObjectNode table = tables.addObject();
      table.put("table", changes.table().toString());
      changes.columns().forEach(table.putArray("columns")::add);
      changes.key().forEach(table.putArray("key")::add);
      changes.rows().forEach((kind, rows) -> table.put(kind.name().toLowerCase(Locale.ROOT), rows));
    }
  }

  /** Digests stay where they are: those of a row with few possible values would tell them. */
  private static void putRead(ObjectNode json, ShadowRead read) {
    json.put("source", read.source().name());
    json.put("destination", read.destination().name());
    json.put("table", read.table().toString());
    json.put("key", read.key());
    json.put("attempt", read.attempt());
    json.put("at_source", read.sourceDigest() != null);
    json.put("at_destination", read.destinationDigest() != null);
    json.put(
        "equal",
        read.sourceDigest() == null
            ? read.destinationDigest() == null
            : read.sourceDigest().equals(read.destinationDigest()));
    json.put("bound", new Lsn(read.bound()).toString());
    json.put("applied", new Lsn(read.applied()).toString());
    json.put("settled", read.settled());
    json.put("last", read.last());
    json.put("source_micros", read.sourceMicros());
    json.put("destination_micros", read.destinationMicros());
  }
}

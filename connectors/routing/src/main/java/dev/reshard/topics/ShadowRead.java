package dev.reshard.topics;

import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.message.BinaryMessageDecoder;
import org.apache.avro.message.BinaryMessageEncoder;

/**
 * A row as both sides had it, without its values. Avro, single-object encoding, {@code
 * ShadowRead.avsc}. Immutable.
 *
 * @param key the row key for people: {@code id=17, tenant_id=4}
 * @param attempt 1, 2, .. for one row that was picked
 * @param sourceDigest of all stored columns as text; null: the source has no such row
 * @param destinationDigest the same of the destination
 * @param bound position in the source's WAL; all that the source's read saw had committed at or
 *     before it; unsigned
 * @param applied the lane's position in the same WAL, from the same snapshot as the destination's
 *     row; unsigned
 * @param settled neither side's row changed since it was last compared, and whatever was committing
 *     then has ended: a difference cannot be a matter of time
 * @param last the row will not be read again for this pick
 * @param sourceMicros how long the source's read took
 * @param destinationMicros how long the destination's read took
 */
public record ShadowRead(
    ShardId source,
    ShardId destination,
    TableId table,
    String key,
    int attempt,
    String sourceDigest,
    String destinationDigest,
    long bound,
    long applied,
    boolean settled,
    boolean last,
    long sourceMicros,
    long destinationMicros) {

  private static final Schema SCHEMA = schema();
  private static final BinaryMessageEncoder<GenericRecord> ENCODER =
      new BinaryMessageEncoder<>(GenericData.get(), SCHEMA);
  private static final BinaryMessageDecoder<GenericRecord> DECODER =
      new BinaryMessageDecoder<>(GenericData.get(), SCHEMA);

  /** The record's key in the topic: what rates are counted by. */
  public String group() {
    return table + " > " + destination;
  }

  public byte[] encode() {
    GenericRecord record = new GenericData.Record(SCHEMA);
    record.put("source", source.name());
    record.put("destination", destination.name());
    record.put("schema", table.schema());
    record.put("table", table.name());
    record.put("key", key);
    record.put("attempt", attempt);
    record.put("sourceDigest", sourceDigest);
    record.put("destinationDigest", destinationDigest);
    record.put("bound", bound);
    record.put("applied", applied);
    record.put("settled", settled);
    record.put("last", last);
    record.put("sourceMicros", sourceMicros);
    record.put("destinationMicros", destinationMicros);
    try {
      ByteBuffer encoded = ENCODER.encode(record);
      byte[] bytes = new byte[encoded.remaining()];
      encoded.get(bytes);
      return bytes;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Reads what {@link #encode} wrote.
   *
   * @throws IllegalArgumentException if it is no such record
   */
  public static ShadowRead decode(byte[] bytes) {
    GenericRecord record;
    try {
      record = DECODER.decode(bytes, null);
    } catch (IOException | RuntimeException e) {
      throw new IllegalArgumentException("no shadow read: " + e.getMessage(), e);
    }
    return new ShadowRead(
        new ShardId(text(record, "source")),
        new ShardId(text(record, "destination")),
        new TableId(text(record, "schema"), text(record, "table")),
        text(record, "key"),
        (int) record.get("attempt"),
        text(record, "sourceDigest"),
        text(record, "destinationDigest"),
        (long) record.get("bound"),
        (long) record.get("applied"),
        (boolean) record.get("settled"),
        (boolean) record.get("last"),
        (long) record.get("sourceMicros"),
        (long) record.get("destinationMicros"));
  }

  private static String text(GenericRecord record, String field) {
    Object value = record.get(field);
    return value == null ? null : value.toString();
  }

  private static Schema schema() {
    try (InputStream in = ShadowRead.class.getResourceAsStream("ShadowRead.avsc")) {
      return new Schema.Parser().parse(in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}

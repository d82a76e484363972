package dev.reshard.change;

import dev.reshard.postgres.Lsn;
import dev.reshard.postgres.ServerIdentity;
import java.io.IOException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;

/**
 * One record of a change topic, read up to its rows. Not modified after it was made.
 *
 * @param commit start of the commit record: which transaction it belongs to
 * @param begin null but in a transaction's first chunk
 * @param end null but in its last one
 * @param bodyStart where tokens, tables and rows begin in {@code record}
 */
@SuppressWarnings("ArrayRecordComponent") // never compared, and copying would double the memory
record Chunk(
    long incarnation, Lsn commit, int index, Begin begin, End end, byte[] record, int bodyStart) {

  record Begin(ServerIdentity server, Instant committed) {}

  record End(Lsn end, Lsn previous, int chunks, long rows, int crc) {}

  /**
   * @throws ChangeException if it is no chunk of this version
   */
  static Chunk parse(byte[] record) {
    if (!ChunkFormat.hasHeader(record)) {
      throw new ChangeException(
          ChangeException.Reason.UNREADABLE,
          "a record is no chunk of this version of Reshard: its schema has another fingerprint");
    }
    BinaryDecoder in =
        DecoderFactory.get()
            .binaryDecoder(
                record, ChunkFormat.HEADER_BYTES, record.length - ChunkFormat.HEADER_BYTES, null);
    try {
      return new Chunk(
          in.readLong(),
          new Lsn(in.readLong()),
          in.readInt(),
          readBegin(in),
          readEnd(in),
          record,
          record.length - in.inputStream().available());
    } catch (IOException | AvroRuntimeException e) {
      throw unreadable(e);
    }
  }

  int bodyLength() {
    return record.length - bodyStart;
  }

  static ChangeException unreadable(Exception e) {
    return new ChangeException(
        ChangeException.Reason.UNREADABLE, "a record cannot be read: " + e.getMessage(), e);
  }

  private static Begin readBegin(BinaryDecoder in) throws IOException {
    if (in.readIndex() == 0) {
      return null;
    }
    ServerIdentity server = new ServerIdentity(in.readString(), in.readInt());
    return new Begin(server, Instant.EPOCH.plus(in.readLong(), ChronoUnit.MICROS));
  }

  private static End readEnd(BinaryDecoder in) throws IOException {
    return in.readIndex() == 0
        ? null
        : new End(
            new Lsn(in.readLong()),
            new Lsn(in.readLong()),
            in.readInt(),
            in.readLong(),
            in.readInt());
  }
}

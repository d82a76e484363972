package dev.reshard.change;

import dev.reshard.postgres.Lsn;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.zip.CRC32C;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;

/**
 * Writes one incarnation's transactions as the records of a change topic, a chunk as soon as it is
 * full. Confined to one thread.
 *
 * <pre>
 * begin -- row, token .. -- commit | abandon
 * </pre>
 */
public final class TransactionEncoder {
  /** A chunk ends before it outgrows this, unless a single row does. */
  public static final int CHUNK_BYTES = 64 * 1024;

  /** More than a value's own bytes take: union branch and length. */
  private static final int VALUE_OVERHEAD = 6;

  private static final int ROW_OVERHEAD = 32;

  private final ServerIdentity server;
  private final long incarnation;
  private final BiConsumer<byte[], Lsn> out;

  private final ByteArrayOutputStream rowBytes = new ByteArrayOutputStream(CHUNK_BYTES);
  private final BinaryEncoder rowEncoder = EncoderFactory.get().directBinaryEncoder(rowBytes, null);

  /** By identity: capture keeps one object for each table, and hashing its names costs too much. */
  private final IdentityHashMap<ChangedTable, Integer> numbers = new IdentityHashMap<>();

  private final List<ChangedTable> tables = new ArrayList<>();
  private final List<String> tokens = new ArrayList<>();
  private final CRC32C crc = new CRC32C();

  private Lsn previous;
  private Lsn commit = Lsn.ZERO;
  private Instant committed = Instant.EPOCH;
  private int chunks;
  private int rowsInChunk;
  private long rows;

  /**
   * @param confirmed the slot's confirmed position when the incarnation began
   * @param out takes each record, with the transaction's end if it is the last of one, else null
   */
  public TransactionEncoder(
      ServerIdentity server, long incarnation, Lsn confirmed, BiConsumer<byte[], Lsn> out) {
    this.server = server;
    this.incarnation = incarnation;
    this.previous = confirmed;
    this.out = out;
  }

  /**
   * @param commit the start of the commit record
   * @param committed when, by the source's clock
   */
  public void begin(Lsn commit, Instant committed) {
    abandon();
    this.commit = commit;
    this.committed = committed;
  }

  /**
   * Adds a change; the arguments are as in {@link RowChange}.
   *
   * @param key null where it is the key that {@code values} hold
   */
  public void row(
      ChangedTable table,
      RowChange.Kind kind,
      int oldBucket,
      int newBucket,
      TextTuple key,
      TextTuple values) {
    if (rowsInChunk > 0 && rowBytes.size() + size(key) + size(values) > CHUNK_BYTES) {
      flush(null);
    }
    Integer number = numbers.get(table);
    if (number == null) {
      number = tables.size();
      numbers.put(table, number);
      tables.add(table);
    }
    try {
      rowEncoder.writeInt(number);
      rowEncoder.writeEnum(ChunkFormat.numberOf(kind));
      rowEncoder.writeInt(oldBucket);
      rowEncoder.writeInt(newBucket);
      writeTuple(key);
      writeTuple(values);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    rowsInChunk++;
    rows++;
  }

  /** Adds the content of a fence message. */
  public void token(String token) {
    tokens.add(token);
  }

  /** Whether nothing was added since {@link #begin}. */
  public boolean isEmpty() {
    return rows == 0 && chunks == 0 && tokens.isEmpty();
  }

  /**
   * Ends the transaction, which may be empty: then it only says how far the source has come.
   *
   * @param end the end of the commit record
   */
  public void commit(Lsn end) {
    flush(end);
    previous = end;
    abandon();
  }

  /** Forgets the transaction; allowed only while no chunk of it has left. */
  public void abandon() {
    chunks = 0;
    rows = 0;
    clearChunk();
    crc.reset();
  }

  private static int size(TextTuple tuple) {
    return tuple == null
        ? ROW_OVERHEAD
        : ROW_OVERHEAD + tuple.textBytes() + VALUE_OVERHEAD * tuple.size();
  }

  private void writeTuple(TextTuple tuple) throws IOException {
    if (tuple == null) {
      rowEncoder.writeIndex(0);
      return;
    }
    rowEncoder.writeIndex(1);
    rowEncoder.writeArrayStart();
    rowEncoder.setItemCount(tuple.size());
    for (int i = 0; i < tuple.size(); i++) {
      switch (tuple.length(i)) {
        case TextTuple.NULL -> rowEncoder.writeIndex(ChunkFormat.VALUE_NULL);
        case TextTuple.UNCHANGED -> rowEncoder.writeIndex(ChunkFormat.VALUE_UNCHANGED);
        default -> {
          rowEncoder.writeIndex(ChunkFormat.VALUE_TEXT);
          rowEncoder.writeBytes(tuple.bytes(), tuple.offset(i), tuple.length(i));
        }
      }
    }
    rowEncoder.writeArrayEnd();
  }

  private void flush(Lsn end) {
    try {
      byte[] body = body();
      crc.update(body);
      ByteArrayOutputStream record = new ByteArrayOutputStream(body.length + 128);
      record.writeBytes(ChunkFormat.copyOfHeader());
      BinaryEncoder encoder = EncoderFactory.get().directBinaryEncoder(record, null);
      encoder.writeLong(incarnation);
      encoder.writeLong(commit.value());
      encoder.writeInt(chunks);
      writeBegin(encoder);
      chunks++;
      writeEnd(encoder, end);
      encoder.flush();
      record.writeBytes(body);
      clearChunk();
      out.accept(record.toByteArray(), end);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void writeBegin(BinaryEncoder encoder) throws IOException {
    encoder.writeIndex(chunks == 0 ? 1 : 0);
    if (chunks == 0) {
      encoder.writeString(server.system());
      encoder.writeInt(server.timeline());
      encoder.writeLong(ChronoUnit.MICROS.between(Instant.EPOCH, committed));
    }
  }

  private void writeEnd(BinaryEncoder encoder, Lsn end) throws IOException {
    encoder.writeIndex(end == null ? 0 : 1);
    if (end != null) {
      encoder.writeLong(end.value());
      encoder.writeLong(previous.value());
      encoder.writeInt(chunks);
      encoder.writeLong(rows);
      encoder.writeInt((int) crc.getValue());
    }
  }

  private byte[] body() throws IOException {
    ByteArrayOutputStream body = new ByteArrayOutputStream(rowBytes.size() + 256);
    BinaryEncoder encoder = EncoderFactory.get().directBinaryEncoder(body, null);
    writeStrings(encoder, tokens);
    startArray(encoder, tables.size());
    for (ChangedTable table : tables) {
      encoder.writeString(table.id().schema());
      encoder.writeString(table.id().name());
      writeStrings(encoder, table.columns());
      startArray(encoder, table.key().size());
      for (int position : table.key()) {
        encoder.writeInt(position);
      }
      encoder.writeArrayEnd();
    }
    encoder.writeArrayEnd();
    startArray(encoder, rowsInChunk);
    encoder.flush();
    rowEncoder.flush();
    rowBytes.writeTo(body);
    encoder.writeArrayEnd();
    encoder.flush();
    return body.toByteArray();
  }

  private static void writeStrings(BinaryEncoder encoder, List<String> strings) throws IOException {
    startArray(encoder, strings.size());
    for (String string : strings) {
      encoder.writeString(string);
    }
    encoder.writeArrayEnd();
  }

  private static void startArray(BinaryEncoder encoder, int items) throws IOException {
    encoder.writeArrayStart();
    encoder.setItemCount(items);
  }

  private void clearChunk() {
    rowBytes.reset();
    rowsInChunk = 0;
    tables.clear();
    numbers.clear();
    tokens.clear();
  }
}

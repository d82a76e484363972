package dev.reshard.change;

import dev.reshard.postgres.Lsn;
import dev.reshard.postgres.ServerIdentity;
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
 * full. A row that does not fit into a chunk leaves in pieces, a chunk each, so that no record is
 * large and no row is copied as a whole (HAZARDS F32). Confined to one thread.
 *
 * <pre>
 * begin -- row, token .. -- commit | abandon
 * </pre>
 */
public final class TransactionEncoder {
  /** A chunk ends before its rows outgrow this; a row that is larger is cut. */
  public static final int CHUNK_BYTES = 64 * 1024;

  /** More than a value's own bytes take: union branch and length. */
  private static final int VALUE_OVERHEAD = 6;

  private static final int ROW_OVERHEAD = 32;

  /** Of a character of Java in UTF-8. */
  private static final int MAX_CHAR_BYTES = 3;

  private final ServerIdentity server;
  private final long incarnation;
  private final BiConsumer<byte[], Lsn> out;

  private final ByteArrayOutputStream rowBytes = new ByteArrayOutputStream(CHUNK_BYTES);
  private final BinaryEncoder rowEncoder = EncoderFactory.get().directBinaryEncoder(rowBytes, null);

  /** By identity: capture keeps one object for each table, and hashing its names costs too much. */
  private final IdentityHashMap<ChangedTable, Integer> numbers = new IdentityHashMap<>();

  private final List<ChangedTable> tables = new ArrayList<>();
  private int tableBytes;
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
    long size = (long) size(key) + size(values);
    if (rowsInChunk > 0 && rowBytes.size() + tableBytes + size > CHUNK_BYTES) {
      flush(null);
    }
    try {
      if (size > CHUNK_BYTES) {
        writeInPieces(table, kind, oldBucket, newBucket, key, values);
      } else {
        writeRow(rowEncoder, number(table), kind, oldBucket, newBucket, key, values);
        rowsInChunk++;
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    rows++;
  }

  private int number(ChangedTable table) {
    Integer number = numbers.get(table);
    if (number == null) {
      number = tables.size();
      numbers.put(table, number);
      tables.add(table);
      tableBytes += size(table);
    }
    return number;
  }

  private void writeInPieces(
      ChangedTable table,
      RowChange.Kind kind,
      int oldBucket,
      int newBucket,
      TextTuple key,
      TextTuple values)
      throws IOException {
    if (!tokens.isEmpty()) {
      flush(null);
    }
    PieceStream pieces = new PieceStream(this::flushPiece);
    BinaryEncoder encoder = EncoderFactory.get().directBinaryEncoder(pieces, null);
    writeTables(encoder, List.of(table));
    startArray(encoder, 1);
    writeRow(encoder, 0, kind, oldBucket, newBucket, key, values);
    encoder.writeArrayEnd();
    encoder.flush();
    pieces.close();
  }

  private static void writeRow(
      BinaryEncoder encoder,
      int table,
      RowChange.Kind kind,
      int oldBucket,
      int newBucket,
      TextTuple key,
      TextTuple values)
      throws IOException {
    encoder.writeInt(table);
    encoder.writeEnum(ChunkFormat.numberOf(kind));
    encoder.writeInt(oldBucket);
    encoder.writeInt(newBucket);
    writeTuple(encoder, key);
    writeTuple(encoder, values);
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

  /** More than a table's description takes. */
  private static int size(ChangedTable table) {
    int size = ROW_OVERHEAD + table.id().schema().length() + table.id().name().length();
    for (String column : table.columns()) {
      size += VALUE_OVERHEAD + MAX_CHAR_BYTES * column.length();
    }
    return size;
  }

  private static void writeTuple(BinaryEncoder encoder, TextTuple tuple) throws IOException {
    if (tuple == null) {
      encoder.writeIndex(0);
      return;
    }
    encoder.writeIndex(1);
    startArray(encoder, tuple.size());
    for (int i = 0; i < tuple.size(); i++) {
      switch (tuple.length(i)) {
        case TextTuple.NULL -> encoder.writeIndex(ChunkFormat.VALUE_NULL);
        case TextTuple.UNCHANGED -> encoder.writeIndex(ChunkFormat.VALUE_UNCHANGED);
        default -> {
          encoder.writeIndex(ChunkFormat.VALUE_TEXT);
          encoder.writeBytes(tuple.bytes(), tuple.offset(i), tuple.length(i));
        }
      }
    }
    encoder.writeArrayEnd();
  }

  private void flush(Lsn end) {
    flush(end, null, false);
  }

  private void flushPiece(byte[] piece, boolean last) {
    flush(null, piece, last);
  }

  /**
   * @param piece null: rows leave, if there are any
   */
  private void flush(Lsn end, byte[] piece, boolean last) {
    try {
      byte[] body = body(piece, last);
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

  private byte[] body(byte[] piece, boolean last) throws IOException {
    int pieceBytes = piece == null ? 0 : piece.length;
    ByteArrayOutputStream body = new ByteArrayOutputStream(rowBytes.size() + pieceBytes + 256);
    BinaryEncoder encoder = EncoderFactory.get().directBinaryEncoder(body, null);
    writeStrings(encoder, tokens);
    writeTables(encoder, tables);
    startArray(encoder, rowsInChunk);
    encoder.flush();
    rowEncoder.flush();
    rowBytes.writeTo(body);
    encoder.writeArrayEnd();
    encoder.writeIndex(piece == null ? 0 : 1);
    if (piece != null) {
      encoder.writeBoolean(last);
      encoder.writeBytes(piece);
    }
    encoder.flush();
    return body.toByteArray();
  }

  private static void writeTables(BinaryEncoder encoder, List<ChangedTable> tables)
      throws IOException {
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
    tableBytes = 0;
    numbers.clear();
    tokens.clear();
  }
}

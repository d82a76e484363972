package dev.reshard.change;

import dev.reshard.keyspace.TableId;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Enumeration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;

/**
 * Reads the tokens and rows of one transaction's chunks, in order; a row that came in pieces when
 * its last one has come. Tables that look the same become one object, across transactions. Confined
 * to one thread.
 */
final class ChunkBody {
  private final Map<ChangedTable, ChangedTable> known = new HashMap<>();
  private final Deque<byte[]> pieces = new ArrayDeque<>();
  private BinaryDecoder in;

  /** Forgets the pieces of a row that is not whole: another transaction follows. */
  void begin() {
    pieces.clear();
  }

  /** Adds what the chunk holds to {@code tokens} and {@code rows}. */
  void read(Chunk chunk, List<String> tokens, List<RowChange> rows) {
    in = decoder(chunk);
    try {
      readStrings(tokens);
      readRows(readTables(), rows);
      if (in.readIndex() == 1) {
        boolean last = in.readBoolean();
        pieces.add(readPiece());
        if (last) {
          in = DecoderFactory.get().directBinaryDecoder(new SequenceInputStream(taken()), null);
          readRows(readTables(), rows);
          in = null; // it may keep what it has read
        }
      }
    } catch (IOException | AvroRuntimeException | IndexOutOfBoundsException e) {
      throw Chunk.unreadable(e);
    }
  }

  /**
   * Adds the chunk's tokens.
   *
   * @return how many rows end in it; they are not read
   */
  long count(Chunk chunk, List<String> tokens) {
    in = decoder(chunk);
    try {
      readStrings(tokens);
      readTables();
      long rows = in.readArrayStart(); // written as one block, and then there is no piece
      return rows > 0 ? rows : in.readIndex() == 1 && in.readBoolean() ? 1 : 0;
    } catch (IOException | AvroRuntimeException e) {
      throw Chunk.unreadable(e);
    }
  }

  private BinaryDecoder decoder(Chunk chunk) {
    return DecoderFactory.get()
        .binaryDecoder(chunk.record(), chunk.bodyStart(), chunk.bodyLength(), in);
  }

  private byte[] readPiece() throws IOException {
    byte[] piece = new byte[Math.toIntExact(in.readLong())];
    in.readFixed(piece);
    return piece;
  }

  /** The pieces, each of which is let go when it is read. */
  @SuppressWarnings("JdkObsolete") // SequenceInputStream asks for it
  private Enumeration<InputStream> taken() {
    return new Enumeration<>() {
      @Override
      public boolean hasMoreElements() {
        return !pieces.isEmpty();
      }

      @Override
      public InputStream nextElement() {
        return new ByteArrayInputStream(pieces.remove());
      }
    };
  }

  private void readRows(List<ChangedTable> tables, List<RowChange> rows) throws IOException {
    for (long n = in.readArrayStart(); n != 0; n = in.arrayNext()) {
      for (long i = 0; i < n; i++) {
        rows.add(readRow(tables));
      }
    }
  }

  private RowChange readRow(List<ChangedTable> tables) throws IOException {
    ChangedTable table = tables.get(in.readInt());
    RowChange.Kind kind = ChunkFormat.kind(in.readEnum());
    int oldBucket = in.readInt();
    int newBucket = in.readInt();
    String[] key = readTuple(table.key().size());
    String[] values = readTuple(table.columns().size());
    if (key == null && values != null) {
      key = new String[table.key().size()];
      for (int i = 0; i < key.length; i++) {
        key[i] = values[table.key().get(i)];
      }
    }
    return new RowChange(table, kind, oldBucket, newBucket, key, values);
  }

  private String[] readTuple(int size) throws IOException {
    if (in.readIndex() == 0) {
      return null;
    }
    String[] tuple = new String[size];
    int place = 0;
    for (long n = in.readArrayStart(); n != 0; n = in.arrayNext()) {
      for (long i = 0; i < n; i++) {
        tuple[place++] =
            switch (in.readIndex()) {
              case ChunkFormat.VALUE_NULL -> null;
              case ChunkFormat.VALUE_TEXT -> readText();
              default -> RowChange.UNCHANGED;
            };
      }
    }
    return tuple;
  }

  /** The decoder would keep the bytes of the longest one. */
  private String readText() throws IOException {
    int length = Math.toIntExact(in.readLong());
    if (length < 0) {
      throw new IOException("a text of %d bytes".formatted(length));
    }
    byte[] bytes = new byte[length];
    in.readFixed(bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private List<ChangedTable> readTables() throws IOException {
    List<ChangedTable> tables = new ArrayList<>();
    for (long n = in.readArrayStart(); n != 0; n = in.arrayNext()) {
      for (long i = 0; i < n; i++) {
        TableId id = new TableId(in.readString(), in.readString());
        List<String> columns = new ArrayList<>();
        readStrings(columns);
        ChangedTable table = new ChangedTable(id, columns, readPositions());
        tables.add(known.computeIfAbsent(table, same -> same));
      }
    }
    return tables;
  }

  private List<Integer> readPositions() throws IOException {
    List<Integer> positions = new ArrayList<>();
    for (long n = in.readArrayStart(); n != 0; n = in.arrayNext()) {
      for (long i = 0; i < n; i++) {
        positions.add(in.readInt());
      }
    }
    return positions;
  }

  private void readStrings(List<String> strings) throws IOException {
    for (long n = in.readArrayStart(); n != 0; n = in.arrayNext()) {
      for (long i = 0; i < n; i++) {
        strings.add(in.readString());
      }
    }
  }
}

package dev.reshard.change;

import dev.reshard.keyspace.TableId;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;

/**
 * Reads the tokens and rows of chunks. Tables that look the same become one object, across chunks.
 * Confined to one thread.
 */
final class ChunkBody {
  private final Map<ChangedTable, ChangedTable> known = new HashMap<>();
  private BinaryDecoder in;

  /** Adds what the chunk holds to {@code tokens} and {@code rows}. */
  void read(Chunk chunk, List<String> tokens, List<RowChange> rows) {
    in =
        DecoderFactory.get()
            .binaryDecoder(chunk.record(), chunk.bodyStart(), chunk.bodyLength(), in);
    try {
      readStrings(tokens);
      List<ChangedTable> tables = readTables();
      for (long n = in.readArrayStart(); n != 0; n = in.arrayNext()) {
        for (long i = 0; i < n; i++) {
          rows.add(readRow(tables));
        }
      }
    } catch (IOException | AvroRuntimeException | IndexOutOfBoundsException e) {
      throw Chunk.unreadable(e);
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
              case ChunkFormat.VALUE_TEXT -> in.readString();
              default -> RowChange.UNCHANGED;
            };
      }
    }
    return tuple;
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

package dev.reshard.capture;

import dev.reshard.change.TextTuple;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Lsn;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads the messages of the output plugin pgoutput, protocol version 1 (PostgreSQL manual, "Logical
 * Replication Message Formats"). Confined to one thread; knows the tables announced on its
 * connection, so each connection needs a new one.
 */
final class PgOutput {
  private static final Instant POSTGRES_EPOCH = Instant.parse("2000-01-01T00:00:00Z");

  private final ChangeHandler handler;
  private final Map<Integer, Relation> relations = new HashMap<>();

  PgOutput(ChangeHandler handler) {
    this.handler = handler;
  }

  /**
   * @param in one message, backed by an array that is not used again
   * @throws CaptureException {@code UNREADABLE} for a message that this protocol does not have
   */
  void read(ByteBuffer in) {
    char kind = (char) in.get();
    try {
      read(kind, in);
    } catch (BufferUnderflowException e) {
      throw new CaptureException(
          CaptureException.Reason.UNREADABLE,
          "the server sent a message of kind '%c' that ends too early".formatted(kind),
          e);
    }
  }

  private void read(char kind, ByteBuffer in) {
    switch (kind) {
      case 'B' -> begin(in);
      case 'C' -> commit(in);
      case 'R' -> relation(in);
      case 'I', 'U', 'D', 'T' -> {
        if (!handler.isSkipping()) {
          change(kind, in);
        }
      }
      case 'M' -> message(in);
      case 'Y', 'O' -> {
        // types and origins: values come as text, and of our own lanes a marker tells
      }
      default ->
          throw new CaptureException(
              CaptureException.Reason.UNREADABLE,
              "the server sent a message of kind '%c', which protocol version 1 does not have"
                  .formatted(kind));
    }
  }

  private void begin(ByteBuffer in) {
    Lsn commit = new Lsn(in.getLong());
    handler.begin(commit, POSTGRES_EPOCH.plus(in.getLong(), ChronoUnit.MICROS));
  }

  private void commit(ByteBuffer in) {
    in.get(); // flags, none yet
    in.getLong(); // start of the commit record, known from the beginning
    handler.commit(new Lsn(in.getLong()));
  }

  private void relation(ByteBuffer in) {
    int oid = in.getInt();
    TableId id = new TableId(string(in), string(in));
    boolean full = in.get() == 'f'; // of others the columns' flags say it all
    int count = in.getShort();
    List<String> columns = new ArrayList<>(count);
    List<Integer> key = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      if ((in.get() & 1) != 0) {
        key.add(i);
      }
      columns.add(string(in));
      in.getInt(); // type
      in.getInt(); // modifier
    }
    relations.put(oid, new Relation(id, columns, key, full));
  }

  private void change(char kind, ByteBuffer in) {
    switch (kind) {
      case 'I' -> {
        Relation table = table(in.getInt());
        in.get(); // 'N'
        handler.insert(table, tuple(in));
      }
      case 'U' -> {
        Relation table = table(in.getInt());
        char part = (char) in.get();
        TextTuple old = null;
        if (part != 'N') {
          old = tuple(in);
          in.get(); // 'N'
        }
        handler.update(table, old, part == 'O', tuple(in));
      }
      case 'D' -> {
        Relation table = table(in.getInt());
        in.get(); // 'K' or 'O'
        handler.delete(table, tuple(in));
      }
      default -> truncate(in);
    }
  }

  private void truncate(ByteBuffer in) {
    int count = in.getInt();
    in.get(); // CASCADE, RESTART IDENTITY: every table of a cascade is named itself
    List<Relation> tables = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      tables.add(table(in.getInt()));
    }
    handler.truncate(tables);
  }

  private void message(ByteBuffer in) {
    boolean transactional = (in.get() & 1) != 0;
    in.getLong(); // its own position
    String prefix = string(in);
    byte[] content = new byte[in.getInt()];
    in.get(content);
    if (transactional && !handler.isSkipping()) {
      handler.message(prefix, content);
    }
  }

  private Relation table(int oid) {
    Relation table = relations.get(oid);
    if (table == null) {
      throw new CaptureException(
          CaptureException.Reason.UNREADABLE,
          "the server sent a row of table %d without announcing the table".formatted(oid));
    }
    return table;
  }

  private static TextTuple tuple(ByteBuffer in) {
    int count = in.getShort();
    int[] offsets = new int[count];
    int[] lengths = new int[count];
    for (int i = 0; i < count; i++) {
      char kind = (char) in.get();
      switch (kind) {
        case 'n' -> lengths[i] = TextTuple.NULL;
        case 'u' -> lengths[i] = TextTuple.UNCHANGED;
        case 't' -> {
          lengths[i] = in.getInt();
          offsets[i] = in.arrayOffset() + in.position();
          in.position(in.position() + lengths[i]);
        }
        default ->
            throw new CaptureException(
                CaptureException.Reason.UNREADABLE,
                "the server sent a value of kind '%c'; text was asked for".formatted(kind));
      }
    }
    return new TextTuple(in.array(), offsets, lengths);
  }

  private static String string(ByteBuffer in) {
    int start = in.position();
    while (in.get() != 0) {
      // to the end of the string
    }
    return new String(
        in.array(), in.arrayOffset() + start, in.position() - 1 - start, StandardCharsets.UTF_8);
  }
}

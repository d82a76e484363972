package dev.reshard.capture;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.reshard.capture.CaptureException.Reason;
import dev.reshard.change.ChangedTable;
import dev.reshard.change.RowChange;
import dev.reshard.change.TextTuple;
import dev.reshard.keyspace.TableId;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Rows that changed buckets without a value that was stored out of line, and what came after them:
 * held back until the guard's trigger has told the values (HAZARDS F9). Its messages come when the
 * statement ends, after all of the statement's rows. Confined to one thread.
 *
 * <p>Content of a message, with values as PostgreSQL's text: {@code {"schema":..,"name":..,
 * "key":{column:text,..},"values":{column:text or null,..}}}, {@code key} of the new row, {@code
 * values} at least of all columns that may be stored out of line.
 */
final class HeldRows {
  /** What holding a row takes beside its text. */
  private static final int ROW_OVERHEAD = 300;

  /** What reading a message of the guard's trigger takes, in times of its length. */
  private static final int MESSAGE_FACTOR = 4;

  private static final ObjectMapper JSON = new ObjectMapper();

  /** A row on its way to the encoder; {@code values} may be replaced. */
  private static final class Held {
    private final ChangedTable table;
    private final RowChange.Kind kind;
    private final int oldBucket;
    private final int newBucket;
    private final TextTuple key;
    private TextTuple values;
    private boolean waits;

    private Held(
        ChangedTable table,
        RowChange.Kind kind,
        int oldBucket,
        int newBucket,
        TextTuple key,
        TextTuple values) {
      this.table = table;
      this.kind = kind;
      this.oldBucket = oldBucket;
      this.newBucket = newBucket;
      this.key = key;
      this.values = values;
    }
  }

  /** Where a row goes when nothing holds it back. */
  interface Out {
    void row(
        ChangedTable table,
        RowChange.Kind kind,
        int oldBucket,
        int newBucket,
        TextTuple key,
        TextTuple values);
  }

  private record RowKey(TableId table, List<String> key) {}

  private final Out out;
  private final Deque<Held> rows = new ArrayDeque<>();
  private final Map<RowKey, Deque<Held>> waiting = new HashMap<>();
  private final Map<TableId, ChangedTable> tables = new HashMap<>();
  private final long maxBytes;
  private long bytes;

  /**
   * @param maxBytes the most that may be held
   */
  HeldRows(Out out, long maxBytes) {
    this.out = out;
    this.maxBytes = maxBytes;
  }

  /** Passes a row on, behind those that are held. */
  void add(
      ChangedTable table,
      RowChange.Kind kind,
      int oldBucket,
      int newBucket,
      TextTuple key,
      TextTuple values) {
    if (rows.isEmpty()) {
      out.row(table, kind, oldBucket, newBucket, key, values);
    } else {
      hold(new Held(table, kind, oldBucket, newBucket, key, values));
    }
  }

  /** Holds back an UPDATE to another bucket until its missing values are told. */
  void addIncomplete(
      ChangedTable table, int oldBucket, int newBucket, TextTuple key, TextTuple values) {
    Held row = new Held(table, RowChange.Kind.UPDATE, oldBucket, newBucket, key, values);
    row.waits = true;
    List<String> newKey = new ArrayList<>();
    table.key().forEach(column -> newKey.add(values.text(column)));
    tables.put(table.id(), table);
    waiting.computeIfAbsent(new RowKey(table.id(), newKey), k -> new ArrayDeque<>()).add(row);
    hold(row);
  }

  /** Takes a message of the guard's trigger; one that nobody waits for is ignored. */
  void tell(byte[] content) {
    if (waiting.isEmpty()) {
      return;
    }
    if (content.length > maxBytes / MESSAGE_FACTOR) {
      throw tooMuch("a row has %d KB of them".formatted(content.length >> 10));
    }
    JsonNode message = parse(content);
    String schema = message.path("schema").asText("-");
    ChangedTable table = tables.get(new TableId(schema, message.path("name").asText("-")));
    if (table == null) {
      return;
    }
    RowKey key = new RowKey(table.id(), keyOf(message.path("key"), table));
    Deque<Held> told = waiting.get(key);
    if (told == null) {
      return;
    }
    fill(told.removeFirst(), message.path("values"));
    if (told.isEmpty()) {
      waiting.remove(key);
    }
    release();
  }

  /**
   * @throws CaptureException {@code VALUES_MISSING} if a row still waits
   */
  void requireNone() {
    if (!rows.isEmpty()) {
      throw missing(rows.getFirst(), "no message of the guard's trigger told them");
    }
  }

  void clear() {
    rows.clear();
    waiting.clear();
    tables.clear();
    bytes = 0;
  }

  private void hold(Held row) {
    rows.add(row);
    bytes += ROW_OVERHEAD;
    bytes += row.values == null ? 0 : row.values.textBytes();
    bytes += row.key == null ? 0 : row.key.textBytes();
    if (bytes > maxBytes) {
      throw tooMuch("its statement changed %d rows so far".formatted(rows.size()));
    }
  }

  /** The rows are whole, but not in this heap. */
  private CaptureException tooMuch(String what) {
    Held row = rows.getFirst();
    return new CaptureException(
        Reason.ROW_TOO_LARGE,
        ("an UPDATE moved a row of table %s from bucket %d to %d, whose values that are stored out "
                + "of line must be held until the statement's end, and that does not fit into "
                + "memory: %s, and %d MB may be held, an eighth of the heap. Its change, and all after "
                + "it, are not replicated; do not cut over. Start the worker anew with a larger "
                + "heap (-Xmx), then 'reshard resume'.")
            .formatted(row.table.id(), row.oldBucket, row.newBucket, what, maxBytes >> 20));
  }

  private void release() {
    while (!rows.isEmpty() && !rows.getFirst().waits) {
      Held row = rows.removeFirst();
      out.row(row.table, row.kind, row.oldBucket, row.newBucket, row.key, row.values);
    }
    if (rows.isEmpty()) {
      bytes = 0;
    }
  }

  private static void fill(Held row, JsonNode values) {
    for (int i = 0; i < row.values.size(); i++) {
      if (row.values.isUnchanged(i)) {
        JsonNode value = values.get(row.table.columns().get(i));
        if (value == null) {
          throw missing(row, "the message of the guard's trigger lacks one");
        }
        row.values = row.values.with(i, value.isNull() ? null : value.asText());
      }
    }
    row.waits = false;
  }

  private static List<String> keyOf(JsonNode key, ChangedTable table) {
    List<String> texts = new ArrayList<>();
    table.key().forEach(column -> texts.add(key.path(table.columns().get(column)).textValue()));
    return texts;
  }

  private static JsonNode parse(byte[] content) {
    try {
      return JSON.readTree(new String(content, StandardCharsets.UTF_8));
    } catch (JsonProcessingException e) {
      e.clearLocation(); // it quotes the row
      throw new CaptureException(Reason.UNREADABLE, "a message of the guard's trigger is not JSON");
    }
  }

  private static CaptureException missing(Held row, String why) {
    List<String> columns = new ArrayList<>();
    for (int i = 0; i < row.values.size(); i++) {
      if (row.values.isUnchanged(i)) {
        columns.add(row.table.columns().get(i));
      }
    }
    return new CaptureException(
        Reason.VALUES_MISSING,
        ("an UPDATE moved a row of table %s from bucket %d to %d, and the server did not send its "
                + "unchanged values of %s; %s. The row's new owner cannot have it whole. Arm the "
                + "guard on this table (or set REPLICA IDENTITY FULL), then begin again from a new "
                + "anchor.")
            .formatted(row.table.id(), row.oldBucket, row.newBucket, columns, why));
  }
}

package dev.reshard.change;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.change.RowChange.Kind;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Lsn;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.message.BinaryMessageDecoder;
import org.junit.jupiter.api.Test;

class ChunkCodecTest {
  private static final ChangedTable ODD =
      new ChangedTable(
          new TableId("ünï \"q\"", "t.a b"), List.of("a", "ключ", "\u0001"), List.of(1));

  private final Records records = new Records(7, 100);
  private final TransactionAssembler assembler =
      new TransactionAssembler("topic", offset -> List.of(), 0, new Lsn(100), null);

  private Transaction read(List<byte[]> chunks) {
    for (int i = 0; i < chunks.size() - 1; i++) {
      assertTrue(assembler.take(chunks.get(i), i).isEmpty());
    }
    return assembler.take(chunks.get(chunks.size() - 1), chunks.size() - 1).orElseThrow();
  }

  @Test
  void everyKindOfValueComesBackAsItWas() {
    String unicode = "x\u0000 é 漢字 \uD83D\uDE00 \"';--";
    records.encoder().begin(new Lsn(199), Records.COMMITTED);
    records.encoder().row(Records.ORDERS, Kind.INSERT, -1, 5, null, TextTuple.of("1", "5", ""));
    records
        .encoder()
        .row(
            ODD,
            Kind.UPDATE,
            5,
            1023,
            TextTuple.of("old"),
            TextTuple.of(RowChange.UNCHANGED, unicode, null));
    records.encoder().row(Records.ORDERS, Kind.UPDATE, 5, 5, null, TextTuple.of("1", "5", null));
    records.encoder().row(ODD, Kind.DELETE, 65535, -1, TextTuple.of(unicode), null);
    records.encoder().row(ODD, Kind.TRUNCATE, -1, -1, null, null);
    records.encoder().token("unit-1 attempt-2");
    records.encoder().commit(new Lsn(200));
    Transaction transaction = read(records.taken());

    assertEquals(7, transaction.incarnation());
    assertEquals(new Lsn(200), transaction.end());
    assertEquals(new Lsn(100), transaction.previous());
    assertEquals(Records.COMMITTED, transaction.committed());
    assertEquals(List.of("unit-1 attempt-2"), transaction.tokens());
    List<RowChange> rows = transaction.changes();
    assertEquals(5, rows.size());
    assertEquals(Records.ORDERS, rows.get(0).table());
    assertSame(rows.get(0).table(), rows.get(2).table());
    assertArrayEquals(new String[] {"1", "5"}, rows.get(0).key());
    assertArrayEquals(new String[] {"1", "5", ""}, rows.get(0).values());
    assertEquals(ODD, rows.get(1).table());
    assertEquals(5, rows.get(1).oldBucket());
    assertEquals(1023, rows.get(1).newBucket());
    assertArrayEquals(new String[] {"old"}, rows.get(1).key());
    assertTrue(RowChange.isUnchanged(rows.get(1).values()[0]));
    assertEquals(unicode, rows.get(1).values()[1]);
    assertNull(rows.get(1).values()[2]);
    assertArrayEquals(new String[] {"1", "5", null}, rows.get(2).values());
    assertArrayEquals(new String[] {unicode}, rows.get(3).key());
    assertNull(rows.get(3).values());
    assertEquals(Kind.TRUNCATE, rows.get(4).kind());
    assertNull(rows.get(4).key());
  }

  @Test
  void aTextThatSaysUnchangedIsNotTakenForAnUnchangedValue() {
    assertEquals(
        false,
        RowChange.isUnchanged(
            read(records.inserts(200, "unchanged")).changes().get(0).values()[2]));
  }

  @Test
  void aLargeTransactionLeavesInChunksAndComesBackWholeInOrder() {
    String[] notes = new String[3_000];
    Random random = new Random(1);
    for (int i = 0; i < notes.length; i++) {
      notes[i] = i + "x".repeat(random.nextInt(200));
    }
    List<byte[]> chunks = records.inserts(200, notes);
    assertTrue(chunks.size() > 3, chunks.size() + " chunks");
    chunks.forEach(chunk -> assertTrue(chunk.length < TransactionEncoder.CHUNK_BYTES + 1024));
    List<String> read = new ArrayList<>();
    read(chunks).changes().forEach(change -> read.add(change.values()[2]));
    assertEquals(List.of(notes), read);
  }

  @Test
  void aRowLargerThanAChunkLeavesInPiecesAndComesBackWhole() {
    String large = "ü漢".repeat(100_000);
    List<byte[]> chunks = records.inserts(200, "before", large, "after", large, large);
    assertTrue(chunks.size() > 3 * 500_000 / TransactionEncoder.CHUNK_BYTES);
    chunks.forEach(chunk -> assertTrue(chunk.length < TransactionEncoder.CHUNK_BYTES + 1024));
    List<String> read = new ArrayList<>();
    read(chunks).changes().forEach(change -> read.add(change.values()[2]));
    assertEquals(List.of("before", large, "after", large, large), read);
  }

  @Test
  void aTransactionTooLargeForMemoryIsReadAgainFromTheTopicRowByRow() {
    String large = "x".repeat((int) OpenTransaction.MEMORY_BYTES);
    List<byte[]> chunks = records.inserts(200, "before", large, "after", large);
    TransactionAssembler reading =
        new TransactionAssembler(
            "topic",
            offset -> List.of(new ChunkStore.Stored(offset, chunks.get((int) offset))),
            0,
            new Lsn(100),
            null);
    for (int i = 0; i < chunks.size() - 1; i++) {
      assertTrue(reading.take(chunks.get(i), i).isEmpty());
    }
    Transaction transaction =
        reading.take(chunks.get(chunks.size() - 1), chunks.size() - 1).orElseThrow();
    assertEquals(4, transaction.changes().size());
    for (int times = 0; times < 2; times++) {
      List<String> read = new ArrayList<>();
      transaction.changes().forEach(change -> read.add(change.values()[2]));
      assertEquals(List.of("before", large, "after", large), read);
    }
  }

  @Test
  void tablesOfManyColumnsDoNotMakeALargeRecord() {
    List<String> columns =
        IntStream.range(0, 1_600)
            .mapToObj("a_column_with_a_rather_long_name_%d"::formatted)
            .toList();
    String[] values = new String[columns.size()];
    records.encoder().begin(new Lsn(199), Records.COMMITTED);
    for (int i = 0; i < 20; i++) {
      ChangedTable wide = new ChangedTable(new TableId("public", "t" + i), columns, List.of(0));
      values[0] = Integer.toString(i);
      records.encoder().row(wide, Kind.INSERT, -1, 5, null, TextTuple.of(values));
    }
    records.encoder().commit(new Lsn(200));
    List<byte[]> chunks = records.taken();
    chunks.forEach(chunk -> assertTrue(chunk.length < ChangeWriter.MAX_RECORD_BYTES / 2));
    assertEquals(20, read(chunks).changes().size());
  }

  @Test
  void avrosOwnReaderReadsTheSame() throws IOException {
    BinaryMessageDecoder<GenericRecord> avro =
        new BinaryMessageDecoder<>(new GenericData(), ChunkFormat.SCHEMA);
    String[] notes = new String[2_000];
    for (int i = 0; i < notes.length; i++) {
      notes[i] = i % 3 == 0 ? null : i % 3 == 1 ? RowChange.UNCHANGED : "note " + i;
    }
    List<byte[]> chunks = records.inserts(200, notes);
    List<String> byAvro = new ArrayList<>();
    for (int i = 0; i < chunks.size(); i++) {
      GenericRecord chunk = avro.decode(chunks.get(i));
      assertEquals(7L, chunk.get("incarnation"));
      assertEquals(199L, chunk.get("commit"));
      assertEquals(i, chunk.get("index"));
      assertEquals(i == 0, chunk.get("begin") != null);
      assertEquals(i == chunks.size() - 1, chunk.get("end") != null);
      for (Object row : (List<?>) chunk.get("rows")) {
        byAvro.add(describe((GenericRecord) row));
      }
    }
    List<String> byHand = new ArrayList<>();
    for (RowChange change : read(chunks).changes()) {
      byHand.add(
          "%s %d %d %s"
              .formatted(
                  change.kind(),
                  change.oldBucket(),
                  change.newBucket(),
                  describe(List.of(change.values()[0], change.values()[1]), change.values()[2])));
    }
    assertEquals(byHand, byAvro);
  }

  private static String describe(GenericRecord row) {
    List<?> values = (List<?>) row.get("values");
    Object note = values.get(2);
    return "%s %s %s %s"
        .formatted(
            row.get("kind"),
            row.get("oldBucket"),
            row.get("newBucket"),
            describe(
                List.of(values.get(0).toString(), values.get(1).toString()),
                note == null
                    ? null
                    : note instanceof GenericRecord ? RowChange.UNCHANGED : note.toString()));
  }

  private static String describe(List<String> key, String note) {
    return key + (note == null ? "NULL" : RowChange.isUnchanged(note) ? "UNCHANGED" : note);
  }
}

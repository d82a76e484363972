package dev.reshard.change;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.change.ChangeException.Reason;
import dev.reshard.postgres.Lsn;
import dev.reshard.postgres.ServerIdentity;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class TransactionAssemblerTest {
  private static final ServerIdentity PROMOTED = new ServerIdentity(Records.SERVER.system(), 2);
  private static final String[] MANY = new String[2_000];

  static {
    for (int i = 0; i < MANY.length; i++) {
      MANY[i] = "a note that is long enough to fill some chunks: " + i;
    }
  }

  private final TransactionAssembler assembler =
      new TransactionAssembler("topic", offset -> List.of(), 0, new Lsn(100), null);
  private final List<String> taken = new ArrayList<>();
  private long offset;

  private void take(byte[] record) {
    assembler
        .take(record, offset++)
        .ifPresent(
            t -> taken.add("%s:%d x%d".formatted(t.end(), t.incarnation(), t.changes().size())));
  }

  private void takeAll(List<byte[]> records) {
    records.forEach(this::take);
  }

  @Test
  void dropsATransactionThatANewIncarnationInterrupts() {
    List<byte[]> torn = new Records(1, 100).inserts(300, MANY);
    takeAll(torn.subList(0, 2));
    takeAll(new Records(2, 100).inserts(300, MANY));
    assertEquals(List.of("0/12C:2 x2000"), taken);
    assertTrue(assembler.gap().isEmpty());
  }

  @Test
  void dropsAZombiesChunksInsideANewTransaction() {
    List<byte[]> zombies = new Records(1, 100).inserts(300, MANY);
    List<byte[]> ours = new Records(2, 100).inserts(300, MANY);
    for (int i = 0; i < ours.size(); i++) {
      take(ours.get(i));
      take(zombies.get(i));
    }
    assertEquals(List.of("0/12C:2 x2000"), taken);
  }

  @Test
  void dropsWhatItHasTakenBefore() {
    Records first = new Records(1, 100);
    take(first.insert(200));
    take(first.insert(300));
    Records second = new Records(2, 100);
    take(second.insert(200));
    take(second.insert(300));
    take(second.insert(400));
    assertEquals(List.of("0/C8:1 x1", "0/12C:1 x1", "0/190:2 x1"), taken);
    assertTrue(assembler.gap().isEmpty());
  }

  @Test
  void aMissingTransactionIsAGap() {
    Records records = new Records(1, 100);
    take(records.insert(200));
    records.insert(300);
    take(records.insert(400));
    take(records.insert(500));
    assertEquals(List.of("0/C8:1 x1"), taken);
    assertEquals(Reason.GAP, assembler.gap().orElseThrow().reason());
    assertEquals(new Lsn(200), assembler.position());
  }

  @Test
  void aTransactionWithAMissingChunkIsAGapForTheNextOne() {
    Records records = new Records(1, 100);
    List<byte[]> holed = new ArrayList<>(records.inserts(300, MANY));
    holed.remove(1);
    takeAll(holed);
    assertEquals(List.of(), taken);
    take(records.insert(400));
    assertEquals(Reason.GAP, assembler.gap().orElseThrow().reason());
  }

  @Test
  void aConfirmedPositionAfterTheReadersIsAGap() {
    take(new Records(1, 150).insert(200));
    assertEquals(List.of(), taken);
    assertEquals(Reason.GAP, assembler.gap().orElseThrow().reason());
  }

  @Test
  void aNewIncarnationThatSendsAgainClosesAGap() {
    Records records = new Records(1, 100);
    records.insert(200);
    take(records.insert(300));
    assertTrue(assembler.gap().isPresent());
    Records again = new Records(2, 100);
    take(again.insert(200));
    take(again.insert(300));
    assertTrue(assembler.gap().isEmpty());
    assertEquals(List.of("0/C8:2 x1", "0/12C:2 x1"), taken);
  }

  @Test
  void aChangedByteIsNamed() {
    byte[] record = new Records(1, 100).insert(200);
    record[record.length - 3]++;
    ChangeException error = assertThrows(ChangeException.class, () -> take(record));
    assertEquals(Reason.CORRUPT, error.reason());
    assertEquals(new Lsn(100), assembler.position());
  }

  @Test
  void anotherTimelineIsNamed() {
    take(new Records(1, 100).insert(200));
    byte[] promoted = new Records(PROMOTED, 2, 200).insert(300);
    ChangeException error = assertThrows(ChangeException.class, () -> take(promoted));
    assertEquals(Reason.OTHER_SERVER, error.reason());
  }

  /** F18: a promoted standby without the last WAL commits again where the lane has been. */
  @Test
  void aNewReaderRefusesAnotherTimelineAlsoBeforeItsPosition() {
    TransactionAssembler again = reader(1, 300, Records.SERVER);
    byte[] lost = new Records(PROMOTED, 2, 200).insert(250);
    ChangeException error = assertThrows(ChangeException.class, () -> again.take(lost, 7));
    assertEquals(Reason.OTHER_SERVER, error.reason());
    assertEquals(new Lsn(300), again.position());
  }

  /** F18: the topic begins with them, and some end after the new anchor. */
  @Test
  void aNewAnchorsReaderDropsWhatTheFormerServerSentBefore() {
    TransactionAssembler anew = reader(2, 250, PROMOTED);
    Records former = new Records(1, 100);
    for (long end : new long[] {200, 300, 400}) {
      assertTrue(anew.take(former.insert(end), offset++).isEmpty());
    }
    assertTrue(anew.gap().isEmpty());
    byte[] first = new Records(PROMOTED, 3, 250).insert(300);
    Transaction next = anew.take(first, offset++).orElseThrow();
    assertEquals(PROMOTED, next.server());
    assertEquals(new Lsn(300), next.end());
    byte[] back = new Records(4, 300).insert(400);
    assertEquals(
        Reason.OTHER_SERVER,
        assertThrows(ChangeException.class, () -> anew.take(back, offset)).reason());
  }

  private static TransactionAssembler reader(
      long incarnation, long position, ServerIdentity server) {
    return new TransactionAssembler(
        "topic", from -> List.of(), incarnation, new Lsn(position), server);
  }

  @Test
  void aForeignRecordIsNamed() {
    ChangeException error =
        assertThrows(
            ChangeException.class,
            () -> take("{\"no\":\"chunk\"}".getBytes(java.nio.charset.StandardCharsets.UTF_8)));
    assertEquals(Reason.UNREADABLE, error.reason());
  }
}

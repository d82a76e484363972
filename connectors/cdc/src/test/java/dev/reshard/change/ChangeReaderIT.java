package dev.reshard.change;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.change.ChangeException.Reason;
import dev.reshard.change.ChangeReader.Position;
import dev.reshard.postgres.Lsn;
import dev.reshard.sandbox.SharedSandbox;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class ChangeReaderIT {
  private static final AtomicInteger TOPICS = new AtomicInteger();
  private static final Position START = Position.after(new Lsn(100));

  private final Map<String, Object> kafka =
      Map.of("bootstrap.servers", SharedSandbox.kafka().bootstrapServers());
  private final String topic = "reader-" + TOPICS.incrementAndGet();

  @BeforeEach
  void createTopic() {
    ChangeTopics.create(kafka, topic, (short) 1);
  }

  @AfterEach
  void deleteTopic() {
    ChangeTopics.delete(kafka, topic);
  }

  private void send(List<byte[]> records) {
    try (ChangeWriter writer = new ChangeWriter(kafka, topic, "test", error -> {})) {
      records.forEach(record -> writer.send(record, offset -> {}));
      writer.flush();
    }
  }

  private static String[] notes(int count) {
    String[] notes = new String[count];
    for (int i = 0; i < count; i++) {
      notes[i] = "a note that is long enough to fill some chunks: " + i;
    }
    return notes;
  }

  private ChangeReader reader(Position from) {
    return new ChangeReader(kafka, topic, from, Optional.of(Records.SERVER));
  }

  /** What a reader yields until the topic gives no more. */
  private static List<Transaction> all(ChangeReader reader) {
    List<Transaction> all = new ArrayList<>();
    reader.next(Duration.ofSeconds(10)).ifPresent(all::add);
    for (Optional<Transaction> next = reader.next(Duration.ofSeconds(1));
        next.isPresent();
        next = reader.next(Duration.ofSeconds(1))) {
      all.add(next.get());
    }
    return all;
  }

  private static List<String> ends(List<Transaction> transactions) {
    return transactions.stream().map(t -> t.incarnation() + ":" + t.end()).toList();
  }

  @Test
  void yieldsEachTransactionOnceWhateverTornRepeatedAndZombieRecordsLieBetween() {
    Records first = new Records(1, 100);
    List<byte[]> records = new ArrayList<>(first.inserts(200, "one"));
    List<byte[]> torn = first.inserts(300, notes(3_000));
    records.addAll(torn.subList(0, torn.size() - 1));
    Records second = new Records(2, 100);
    records.addAll(second.inserts(200, "one"));
    List<byte[]> whole = second.inserts(300, notes(3_000));
    records.addAll(whole.subList(0, 2));
    records.add(torn.get(torn.size() - 1));
    records.addAll(whole.subList(2, whole.size()));
    records.addAll(second.inserts(400, "last"));
    send(records);
    try (ChangeReader reader = reader(START)) {
      List<Transaction> all = all(reader);
      assertEquals(List.of("1:0/C8", "2:0/12C", "2:0/190"), ends(all));
      assertEquals(3_000, all.get(1).changes().size());
      assertEquals(0, reader.lag().recordsBehind());
      assertEquals(Optional.of(Records.COMMITTED), reader.lag().committed());
    }
  }

  @Test
  void goesOnBehindTheTransactionThatWasTakenLast() {
    Records records = new Records(1, 100);
    send(records.inserts(200, notes(3_000)));
    send(records.inserts(300, "next"));
    Position position;
    try (ChangeReader reader = reader(START)) {
      position = Position.after(reader.next(Duration.ofSeconds(20)).orElseThrow());
    }
    try (ChangeReader reader = reader(position)) {
      assertEquals(List.of("1:0/12C"), ends(all(reader)));
    }
  }

  @Test
  void stopsAtAGapByName() {
    Records records = new Records(1, 100);
    send(records.inserts(200, "one"));
    records.inserts(300, "lost");
    send(records.inserts(400, "three"));
    try (ChangeReader reader = reader(START)) {
      assertEquals(
          new Lsn(200), reader.next(Duration.ofSeconds(20)).map(Transaction::end).orElseThrow());
      ChangeException error =
          assertThrows(ChangeException.class, () -> reader.next(Duration.ofSeconds(20)));
      assertEquals(Reason.GAP, error.reason());
      assertEquals(new Lsn(200), reader.position());
    }
  }

  @Test
  void stopsByNameAtATransactionThatLacksAChunk() {
    Records records = new Records(1, 100);
    send(records.inserts(200, "one"));
    List<byte[]> lacking = new ArrayList<>(records.inserts(300, notes(3_000)));
    lacking.remove(lacking.size() / 2);
    send(lacking);
    send(records.inserts(400, "three"));
    try (ChangeReader reader = reader(START)) {
      assertEquals(
          new Lsn(200), reader.next(Duration.ofSeconds(20)).map(Transaction::end).orElseThrow());
      ChangeException error =
          assertThrows(ChangeException.class, () -> reader.next(Duration.ofSeconds(20)));
      assertEquals(Reason.GAP, error.reason());
      assertEquals(new Lsn(200), reader.position());
    }
  }

  @Test
  void doesNotStopAtAGapThatANewIncarnationHasClosed() {
    Records first = new Records(1, 100);
    first.inserts(200, "lost");
    send(first.inserts(300, "two"));
    Records second = new Records(2, 100);
    send(second.inserts(200, "lost"));
    send(second.inserts(300, "two"));
    try (ChangeReader reader = reader(START)) {
      assertEquals(List.of("2:0/C8", "2:0/12C"), ends(all(reader)));
    }
  }

  @Test
  void stopsAtADamagedTransactionByName() {
    byte[] damaged = new Records(1, 100).insert(200);
    damaged[damaged.length - 3]++;
    send(List.of(damaged));
    try (ChangeReader reader = reader(START)) {
      ChangeException error =
          assertThrows(ChangeException.class, () -> reader.next(Duration.ofSeconds(20)));
      assertEquals(Reason.CORRUPT, error.reason());
    }
  }

  /** HAZARDS F24. */
  @Test
  void stopsByNameWhenItsRecordsWereDeleted() throws ExecutionException, InterruptedException {
    Records records = new Records(1, 100);
    send(records.inserts(200, "one"));
    send(records.inserts(300, "two"));
    try (Admin admin = Admin.create(kafka)) {
      admin
          .deleteRecords(Map.of(new TopicPartition(topic, 0), RecordsToDelete.beforeOffset(1)))
          .all()
          .get();
    }
    try (ChangeReader reader = reader(START)) {
      ChangeException error =
          assertThrows(ChangeException.class, () -> reader.next(Duration.ofSeconds(20)));
      assertEquals(Reason.RECORDS_GONE, error.reason());
    }
  }

  @Test
  void aRowOfManyMegabytesGoesThrough() {
    String large = "ä".repeat(10_000_000);
    send(new Records(1, 100).inserts(200, "small", large));
    try (ChangeReader reader = reader(START)) {
      Transaction transaction = reader.next(Duration.ofSeconds(60)).orElseThrow();
      assertEquals(large, transaction.changes().get(1).values()[2]);
    }
  }

  /** F32. */
  @Test
  void aTransactionTooLargeForMemoryIsReadAgainFromTheTopic() {
    String[] notes = new String[400_000];
    for (int i = 0; i < notes.length; i++) {
      notes[i] = "a note of about a hundred bytes, of which there are very many in here: " + i;
    }
    List<byte[]> ours = new Records(2, 100).inserts(200, notes);
    assertTrue(ours.size() * 64L * 1024 > OpenTransaction.MEMORY_BYTES);
    List<byte[]> zombies = new Records(1, 100).inserts(200, notes(3_000));
    List<byte[]> records = new ArrayList<>(ours.subList(0, 2));
    records.add(zombies.get(1));
    records.addAll(ours.subList(2, ours.size()));
    send(records);
    try (ChangeReader reader = reader(START)) {
      Transaction transaction = reader.next(Duration.ofSeconds(60)).orElseThrow();
      assertEquals(notes.length, transaction.changes().size());
      for (int round = 0; round < 2; round++) {
        int i = 0;
        for (RowChange change : transaction.changes()) {
          assertEquals(notes[i++], change.values()[2]);
        }
        assertEquals(notes.length, i);
      }
      assertEquals(notes[70_000], transaction.changes().get(70_000).values()[2]);
    }
  }
}

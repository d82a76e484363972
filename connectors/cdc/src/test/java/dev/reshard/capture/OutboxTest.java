package dev.reshard.capture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.change.TransactionEncoder;
import dev.reshard.postgres.Lsn;
import java.util.List;
import org.junit.jupiter.api.Test;

class OutboxTest {
  private static final Lsn END = new Lsn(10);

  private final Progress progress = new Progress(Lsn.ZERO, () -> Lsn.ZERO);
  private final Outbox outbox = new Outbox(progress);

  private void drainAndAcknowledge() {
    for (Outbox.Entry entry : Outbox.read(outbox.drain())) {
      progress.acknowledged(entry.record().length, entry.end());
    }
  }

  @Test
  void aTransactionAfterAPauseIsDueAtOnce() throws Exception {
    outbox.add(new byte[3], END);
    assertTrue(outbox.isDue());
    drainAndAcknowledge();
    Thread.sleep(5);
    outbox.add(new byte[3], END);
    assertTrue(outbox.isDue());
  }

  @Test
  void whatKafkaHasNotAcknowledgedYetIsWorthWaitingFor() throws Exception {
    outbox.add(new byte[3], END);
    outbox.drain();
    Thread.sleep(5);
    outbox.add(new byte[3], END);
    assertFalse(outbox.isDue());
  }

  @Test
  void aFullOneIsDueWhateverCameBefore() {
    outbox.add(new byte[3], END);
    drainAndAcknowledge();
    outbox.add(new byte[TransactionEncoder.CHUNK_BYTES], END);
    assertTrue(outbox.isDue());
  }

  @Test
  void anEmptyOneIsNeverDue() {
    assertFalse(outbox.isDue());
  }

  @Test
  void whatIsDrainedIsReadAgainInItsOrder() {
    outbox.add(new byte[] {1}, null);
    outbox.add(new byte[] {2, 3}, END);
    List<Outbox.Entry> entries = Outbox.read(outbox.drain());
    assertEquals(2, entries.size());
    assertEquals(1, entries.get(0).record()[0]);
    assertEquals(null, entries.get(0).end());
    assertEquals(END, entries.get(1).end());
    assertTrue(outbox.isEmpty());
  }
}

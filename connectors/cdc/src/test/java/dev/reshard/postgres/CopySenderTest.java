package dev.reshard.postgres;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Proxy;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.postgresql.copy.CopyIn;

@Timeout(30)
class CopySenderTest {
  private static final int AHEAD = 3;

  private final Semaphore taken = new Semaphore(0);
  private final Semaphore mayGoOn = new Semaphore(0);
  private final List<Byte> sent = Collections.synchronizedList(new ArrayList<>());
  private volatile SQLException refusal;
  private final CopySender sender = new CopySender(destination(), AHEAD, 1);

  /** A server that takes a batch, and says so only when it may. */
  private CopyIn destination() {
    return (CopyIn)
        Proxy.newProxyInstance(
            CopyIn.class.getClassLoader(),
            new Class<?>[] {CopyIn.class},
            (proxy, method, arguments) -> {
              assertEquals("writeToCopy", method.getName());
              taken.release();
              mayGoOn.acquire();
              if (refusal != null) {
                throw refusal;
              }
              sent.add(((byte[]) arguments[0])[0]);
              return null;
            });
  }

  @AfterEach
  void end() {
    mayGoOn.release(100);
    sender.end();
  }

  @Test
  void moreIsGatheredWhileABatchIsSentUpToSoManyBatches() throws Exception {
    handOver(0);
    taken.acquire();
    for (int i = 1; i <= AHEAD; i++) {
      handOver(i); // does not wait
    }
    CompletableFuture<Void> oneMore = CompletableFuture.runAsync(() -> handOver(AHEAD + 1));
    assertThrows(TimeoutException.class, () -> oneMore.get(200, TimeUnit.MILLISECONDS));
    mayGoOn.release();
    oneMore.get();
    mayGoOn.release(AHEAD + 1);
    sender.drain();
    assertEquals(List.of((byte) 0, (byte) 1, (byte) 2, (byte) 3, (byte) 4), sent);
  }

  @Test
  void whatTheServerRefusesIsSaidAtTheLatestAtTheEndAndNothingMoreIsSent() throws Exception {
    refusal = new SQLException("disk full", "53100");
    mayGoOn.release(100);
    handOver(0);
    assertEquals("53100", assertThrows(SQLException.class, sender::drain).getSQLState());
    assertThrows(SQLException.class, () -> sender.send(sender.room(), 1));
    assertEquals(List.of(), sent);
  }

  @Test
  void theEndWaitsForTheBatchThatIsBeingSentAndDropsWhatWaits() throws Exception {
    handOver(0);
    taken.acquire();
    handOver(1);
    CompletableFuture<Void> end = CompletableFuture.runAsync(sender::end);
    assertThrows(TimeoutException.class, () -> end.get(200, TimeUnit.MILLISECONDS));
    mayGoOn.release(100);
    end.get();
    assertEquals(List.of((byte) 0), sent);
  }

  @Test
  void anInterruptEndsNoWait() throws Exception {
    handOver(0);
    taken.acquire();
    Thread.currentThread().interrupt();
    CompletableFuture<Void> released = CompletableFuture.runAsync(() -> mayGoOn.release(100));
    sender.drain();
    assertTrue(Thread.interrupted());
    released.get();
    assertFalse(sent.isEmpty());
  }

  private void handOver(int number) {
    byte[] batch = sender.room();
    batch[0] = (byte) number;
    try {
      sender.send(batch, 1);
    } catch (SQLException e) {
      throw new AssertionError(e);
    }
  }
}

package dev.reshard.bench;

import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/**
 * When rows that were committed at the source are seen at the destination: a thread that looks for
 * those on their way, once a millisecond. Thread-safe.
 */
final class Arrivals implements AutoCloseable {
  private static final long LOOK_MS = 1;
  private static final Duration LIMIT = Duration.ofMinutes(1);

  /** On its way. */
  private record Sent(long number, long atNanos) {}

  /** Has come. */
  private record Came(long sentAtNanos, long nanos) {}

  private final Map<Long, Sent> onTheWay = new ConcurrentHashMap<>();
  private final List<Came> came = new ArrayList<>();
  private final Looker looker;
  private final FutureTask<Void> looking = new FutureTask<>(this::look);
  private volatile boolean ended;

  /** Begins to look; closes the looker in the end. */
  Arrivals(Looker looker) {
    this.looker = looker;
    new Thread(looking, "arrivals").start();
  }

  void committed(long id, long number, long atNanos) {
    onTheWay.put(id, new Sent(number, atNanos));
  }

  /**
   * Waits until all have come.
   *
   * @return the times of those that were committed since then, in nanoseconds
   */
  List<Long> after(long nanoTime) throws InterruptedException {
    long deadline = System.nanoTime() + LIMIT.toNanos();
    while (!onTheWay.isEmpty() && !looking.isDone()) {
      if (System.nanoTime() > deadline) {
        throw new BenchException("%d updates did not arrive".formatted(onTheWay.size()));
      }
      Thread.sleep(LOOK_MS); // the next look
    }
    stop();
    return came.stream().filter(c -> c.sentAtNanos() >= nanoTime).map(Came::nanos).toList();
  }

  private void stop() throws InterruptedException {
    ended = true;
    try {
      looking.get();
    } catch (ExecutionException e) {
      throw new BenchException("looking for updates failed: " + e.getCause().getMessage());
    }
  }

  private Void look() throws SQLException, InterruptedException {
    try (PreparedStatement select =
        looker
            .session()
            .prepareStatement("SELECT id, amount::int8 FROM orders WHERE id = ANY (?)")) {
      while (!ended) {
        Map<Long, Sent> awaited = new HashMap<>(onTheWay);
        if (!awaited.isEmpty()) {
          select.setArray(
              1, looker.session().createArrayOf("int8", awaited.keySet().toArray(new Long[0])));
          look(select, awaited);
        }
        Thread.sleep(LOOK_MS); // the next look
      }
    }
    return null;
  }

  private void look(PreparedStatement select, Map<Long, Sent> awaited) throws SQLException {
    try (ResultSet row = select.executeQuery()) {
      long now = System.nanoTime();
      while (row.next()) {
        Sent sent = awaited.get(row.getLong(1));
        if (sent.number() == row.getLong(2)) {
          onTheWay.remove(row.getLong(1), sent);
          came.add(new Came(sent.atNanos(), Math.max(0, now - sent.atNanos())));
        }
      }
    }
  }

  @Override
  public void close() throws SQLException, InterruptedException {
    stop();
    looker.close();
  }
}

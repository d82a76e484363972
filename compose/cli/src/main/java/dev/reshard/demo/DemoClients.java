package dev.reshard.demo;

import dev.reshard.routing.ShardRouter;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * Clients that write through the router until they are stopped: inserts, updates, deletes,
 * transactions over several tables, changes of the shard key. They keep the ledger. Thread-safe.
 */
public final class DemoClients implements AutoCloseable {
  /** Longer than the router's patience, after which it gives up by itself. */
  private static final Duration STOPPED_WITHIN = Duration.ofSeconds(30);

  /** A client that was held up does not catch up on more than this. */
  private static final Duration MOST_BEHIND = Duration.ofMillis(100);

  private final DemoLedger ledger;
  private final DemoTimes times = new DemoTimes();
  private final List<Thread> threads = new ArrayList<>();
  private volatile boolean stopped;

  private DemoClients(DemoLedger ledger) {
    this.ledger = ledger;
  }

  /**
   * Starts clients, each with a share of the tenants.
   *
   * @param ledger of all rows as they are now; from now on the clients keep it. What earlier
   *     clients were in doubt about is left alone
   * @param transactionsPerSecond of all clients together; fewer if the shards cannot do it
   */
  public static DemoClients start(
      ShardRouter router, DemoLedger ledger, int clients, int transactionsPerSecond) {
    if (clients < 1 || transactionsPerSecond < 1) {
      throw new IllegalArgumentException(
          "clients and transactions per second must be at least 1, got %d and %d"
              .formatted(clients, transactionsPerSecond));
    }
    DemoClients started = new DemoClients(ledger);
    long periodNanos = TimeUnit.SECONDS.toNanos(1) * clients / transactionsPerSecond;
    long now = System.nanoTime();
    List<DemoWriter> writers = started.writers(router, clients);
    for (int i = 0; i < clients; i++) {
      DemoWriter writer = writers.get(i);
      long first = now + periodNanos * i / clients;
      Thread thread =
          new Thread(() -> started.keepWriting(writer, first, periodNanos), "demo-client-" + i);
      thread.setDaemon(true);
      started.threads.add(thread);
    }
    started.threads.forEach(Thread::start);
    return started;
  }

  /** As {@link #stop}. */
  @Override
  public void close() {
    stop();
  }

  /** Waits for the answers that are still to come. Idempotent. */
  public void stop() {
    stopped = true;
    try {
      for (Thread thread : threads) {
        thread.join(STOPPED_WITHIN.toMillis());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Transactions of which a client was told that they are committed. */
  public long acknowledged() {
    return ledger.acknowledged();
  }

  /** Transactions that failed for good, though surely without a trace. */
  public long failed() {
    return times.failed();
  }

  /** Why the first of them failed. */
  public List<String> failures() {
    return times.failures();
  }

  /** Transactions in that time that a shard refused at first, with RS001: how long they took. */
  public DemoWaits refusedBetween(Instant from, Instant to) {
    return times.refusedBetween(from, to);
  }

  /** All committed transactions in that time. */
  public DemoWaits between(Instant from, Instant to) {
    return times.between(from, to);
  }

  /** The longest that any committed transaction took. */
  public Duration longest() {
    return times.between(Instant.MIN, Instant.MAX).max();
  }

  private void keepWriting(DemoWriter writer, long first, long periodNanos) {
    try {
      long next = first;
      while (!stopped) {
        TimeUnit.NANOSECONDS.sleep(next - System.nanoTime());
        writer.runOne();
        next = Math.max(next + periodNanos, System.nanoTime() - MOST_BEHIND.toNanos());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private List<DemoWriter> writers(ShardRouter router, int clients) {
    Map<Long, Integer> lines = new HashMap<>();
    List<List<Long>> tenants = new ArrayList<>();
    List<List<DemoOrder>> orders = new ArrayList<>();
    for (int i = 0; i < clients; i++) {
      tenants.add(new ArrayList<>());
      orders.add(new ArrayList<>());
    }
    ledger.forEach(
        (key, state) -> {
          if (key.table() == DemoTable.ORDER_ITEMS && state.isPresent()) {
            lines.merge(key.b(), 1, Integer::sum);
          }
        });
    Set<Long> doubtful = ledger.doubtful();
    ledger.forEach(
        (key, state) ->
            state
                .filter(row -> !doubtful.contains(row.tenant()))
                .ifPresent(
                    row -> {
                      int client = Math.floorMod(row.tenant(), clients);
                      if (key.table() == DemoTable.TENANTS) {
                        tenants.get(client).add(key.a());
                      } else if (key.table() == DemoTable.ORDERS) {
                        orders
                            .get(client)
                            .add(
                                new DemoOrder(
                                    key.a(), row.tenant(), lines.getOrDefault(key.a(), 0)));
                      }
                    }));
    Random random = new Random();
    String run = Integer.toHexString(random.nextInt());
    List<DemoWriter> writers = new ArrayList<>();
    for (int i = 0; i < clients; i++) {
      writers.add(
          new DemoWriter(
              run + "-" + i,
              router,
              ledger,
              times,
              new Random(random.nextLong()),
              tenants.get(i),
              orders.get(i)));
    }
    return writers;
  }
}

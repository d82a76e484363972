package dev.reshard.cli;

import dev.reshard.cli.StatusFacts.HeldWal;
import dev.reshard.control.CleanupRegistry.Item;
import dev.reshard.keyspace.ShardId;
import dev.reshard.postgres.ReplicationSlots;
import dev.reshard.postgres.ShardSessions;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Asks all shards at once how much WAL our replication slots keep; a shard that does not answer
 * holds nobody up. Sessions stay open between two looks. Confined to one thread.
 */
final class WalReader implements AutoCloseable {
  private static final Duration LIMIT = Duration.ofSeconds(3);

  private final ShardSessions sessions;
  private final Map<ShardId, Connection> open = new ConcurrentHashMap<>();
  private final Map<ShardId, Future<HeldWal>> pending = new HashMap<>();
  private final ExecutorService threads =
      Executors.newCachedThreadPool(
          task -> {
            Thread thread = new Thread(task, "wal");
            thread.setDaemon(true);
            return thread;
          });

  WalReader(ShardSessions sessions) {
    this.sessions = sessions;
  }

  /** One line for each replication slot. */
  List<HeldWal> read(List<Item> slots) throws InterruptedException {
    for (Item slot : slots) {
      pending.computeIfAbsent(slot.shard(), shard -> threads.submit(() -> ask(slot)));
    }
    long deadline = System.nanoTime() + LIMIT.toNanos();
    List<HeldWal> held = new ArrayList<>();
    for (Item slot : slots) {
      held.add(answer(slot, deadline - System.nanoTime()));
    }
    return held;
  }

  /** A shard that is late is not asked again before it has answered. */
  private HeldWal answer(Item slot, long patienceNanos) throws InterruptedException {
    try {
      HeldWal answer =
          pending.get(slot.shard()).get(Math.max(0, patienceNanos), TimeUnit.NANOSECONDS);
      pending.remove(slot.shard());
      return answer;
    } catch (TimeoutException e) {
      return unknown(slot, "does not answer within %d s".formatted(LIMIT.toSeconds()));
    } catch (ExecutionException e) {
      pending.remove(slot.shard());
      return unknown(slot, "does not answer: " + e.getCause().getMessage());
    }
  }

  private HeldWal ask(Item item) throws SQLException {
    Connection session = open.get(item.shard());
    if (session == null) {
      session = sessions.open(item.shard(), "status");
      open.put(item.shard(), session);
    }
    try {
      Optional<ReplicationSlots.Slot> slot = ReplicationSlots.find(session, item.name());
      return new HeldWal(
          item.shard(),
          item.name(),
          slot.map(ReplicationSlots.Slot::walBytes).orElse(0L),
          slot.map(ReplicationSlots.Slot::active).orElse(false),
          slot.map(ReplicationSlots.Slot::lost).orElse(false),
          "");
    } catch (SQLException e) {
      open.remove(item.shard());
      session.close();
      throw e;
    }
  }

  private static HeldWal unknown(Item slot, String problem) {
    return new HeldWal(slot.shard(), slot.name(), 0, false, false, problem);
  }

  @Override
  public void close() throws SQLException {
    threads.shutdownNow();
    for (Connection session : open.values()) {
      session.close();
    }
  }
}

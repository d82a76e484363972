package dev.reshard.demo;

import dev.reshard.keyspace.ShardId;
import dev.reshard.routing.CommitUnknownException;
import dev.reshard.routing.DifferentOwnersException;
import dev.reshard.routing.ShardRouter;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;

/**
 * One client. It has tenants of its own, so nobody else changes what it was told is committed, and
 * one transaction at a time. Confined to one thread.
 */
final class DemoWriter {
  private static final int TENANTS_TRIED = 20;

  private final String name;
  private final ShardRouter router;
  private final DemoLedger ledger;
  private final DemoTimes times;
  private final Random random;
  private final List<Long> tenants;
  private final List<DemoOrder> orders;
  private long ops;

  /**
   * @param name begins the name of each of its transactions; no other client ever had it
   * @param tenants that nobody else writes to
   * @param orders all orders of these tenants
   */
  DemoWriter(
      String name,
      ShardRouter router,
      DemoLedger ledger,
      DemoTimes times,
      Random random,
      Collection<Long> tenants,
      Collection<DemoOrder> orders) {
    this.name = name;
    this.router = router;
    this.ledger = ledger;
    this.times = times;
    this.random = random;
    this.tenants = new ArrayList<>(tenants);
    this.orders = new ArrayList<>(orders);
  }

  /** Runs one transaction of some kind. What fails is told to the others, not thrown. */
  void runOne() {
    if (tenants.isEmpty()) {
      return;
    }
    int dice = random.nextInt(100);
    if (orders.isEmpty() || dice < 25) {
      place();
      return;
    }
    int index = random.nextInt(orders.size());
    DemoOrder order = orders.get(index);
    if (dice < 60) {
      change("advance", index, transaction -> Optional.of(transaction.advance(order)));
    } else if (dice < 65) {
      change("note", index, transaction -> Optional.of(transaction.rewriteNote(order)));
    } else if (dice < 75) {
      change("extend", index, transaction -> Optional.of(transaction.extend(order)));
    } else if (dice < 90) {
      change("delete", index, transaction -> transaction.delete(order));
    } else {
      give(index);
    }
  }

  private void place() {
    long tenant = anyTenant();
    int lines = 1 + random.nextInt(3);
    boolean largeNote = random.nextInt(10) == 0;
    run(
        "place",
        List.of(tenant),
        OptionalInt.empty(),
        transaction -> Optional.of(transaction.place(tenant, lines, largeNote)));
  }

  private void change(String kind, int index, DemoAttempt.Deed deed) {
    run(kind, List.of(orders.get(index).tenant()), OptionalInt.of(index), deed);
  }

  /** To another tenant on the same shard, if a few tries find one. */
  private void give(int index) {
    DemoOrder order = orders.get(index);
    ShardId owner = owner(order.tenant());
    for (int i = 0; i < TENANTS_TRIED; i++) {
      long tenant = anyTenant();
      if (tenant != order.tenant() && owner(tenant).equals(owner)) {
        run(
            "give",
            List.of(order.tenant(), tenant),
            OptionalInt.of(index),
            transaction -> Optional.of(transaction.give(order, tenant)));
        return;
      }
    }
  }

  private long anyTenant() {
    return tenants.get(random.nextInt(tenants.size()));
  }

  private ShardId owner(long tenant) {
    return router.route(Long.toString(tenant)).owner();
  }

  /**
   * @param index of the order that is changed; empty for a new one
   */
  private void run(String kind, List<Long> written, OptionalInt index, DemoAttempt.Deed deed) {
    ops++;
    DemoAttempt attempt = new DemoAttempt(ledger, name + "-" + ops, kind, written, deed);
    Instant start = Instant.now();
    long startNanos = System.nanoTime();
    try {
      Optional<DemoOrder> after = attempt.untilCommitted(router);
      times.ran(start, Duration.ofNanos(System.nanoTime() - startNanos), attempt.wasRefused());
      ledger.acknowledge(attempt.changes());
      replace(index, after);
    } catch (DifferentOwnersException e) {
      // they were on one shard when we chose them: the order stays where it is
    } catch (CommitUnknownException e) {
      ledger.doubt(attempt.changes());
      leaveAlone(written);
    } catch (WrongRowException e) {
      ledger.foundWrong(e);
      leaveAlone(written);
    } catch (SQLException | RuntimeException e) {
      times.failed("%s %s-%d: %s".formatted(kind, name, ops, firstLine(e)));
    }
  }

  private void replace(OptionalInt index, Optional<DemoOrder> after) {
    if (index.isEmpty()) {
      after.ifPresent(orders::add);
    } else if (after.isPresent()) {
      orders.set(index.getAsInt(), after.get());
    } else {
      DemoOrder last = orders.remove(orders.size() - 1);
      if (index.getAsInt() < orders.size()) {
        orders.set(index.getAsInt(), last);
      }
    }
  }

  /** What we would write there next would hide what happened. */
  private void leaveAlone(List<Long> doubtful) {
    tenants.removeAll(doubtful);
    orders.removeIf(order -> doubtful.contains(order.tenant()));
  }

  /** Without PostgreSQL's DETAIL, which may show values of rows. */
  private static String firstLine(Exception e) {
    return String.valueOf(e).lines().findFirst().orElseThrow();
  }
}

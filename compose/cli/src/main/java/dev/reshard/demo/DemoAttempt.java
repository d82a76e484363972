package dev.reshard.demo;

import dev.reshard.routing.ShardRouter;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** One client's transaction until it is committed or has failed. Confined to one thread. */
final class DemoAttempt {
  /** Serialization failure and deadlock: PostgreSQL asks for another try. */
  private static final Set<String> WORTH_ANOTHER_TRY = Set.of("40001", "40P01");

  private static final int MOST_TRIES = 5;

  /** What is done to an order; empty: there is none any more. */
  interface Deed {
    Optional<DemoOrder> run(DemoTransaction transaction) throws SQLException;
  }

  private final DemoLedger ledger;
  private final String op;
  private final String kind;
  private final List<Long> tenants;
  private final Deed deed;

  private List<Change> changes = List.of();
  private int calls;
  private int tries;

  /**
   * @param op no other transaction ever had it
   * @param tenants whose rows the deed writes; the event is the last one's
   */
  DemoAttempt(DemoLedger ledger, String op, String kind, List<Long> tenants, Deed deed) {
    this.ledger = ledger;
    this.op = op;
    this.kind = kind;
    this.tenants = tenants;
    this.deed = deed;
  }

  Optional<DemoOrder> untilCommitted(ShardRouter router) throws SQLException {
    List<String> keys = tenants.stream().map(String::valueOf).toList();
    while (true) {
      tries++;
      try {
        return router.write(keys, this::once);
      } catch (SQLException e) {
        String state = e.getSQLState();
        if (tries == MOST_TRIES || state == null || !WORTH_ANOTHER_TRY.contains(state)) {
          throw e;
        }
      }
    }
  }

  /** The rows that the last call changed. */
  List<Change> changes() {
    return changes;
  }

  /** Whether the router called again by itself, as a shard had refused with RS001. */
  boolean wasRefused() {
    return calls > tries;
  }

  private Optional<DemoOrder> once(Connection connection) throws SQLException {
    calls++;
    DemoTransaction transaction = new DemoTransaction(connection, ledger, op);
    Optional<DemoOrder> order = deed.run(transaction);
    transaction.log(tenants.get(tenants.size() - 1), kind);
    changes = transaction.changes();
    return order;
  }
}

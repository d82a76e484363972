package dev.reshard.bench;

import dev.reshard.sandbox.SandboxShard;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;

/** The table that peers.sh measures with, and the same load on it. Stateless. */
final class Orders {
  /** As many as its pgbench has. */
  private static final int CLIENTS = 8;

  private static final int ROWS_PER_TRANSACTION = 10;
  private static final String DEADLOCK = "40P01";

  private Orders() {}

  /** Makes and fills the table. */
  static void load(SandboxShard source, long rows) throws SQLException {
    source.execute(
        """
        CREATE TABLE orders (id bigint NOT NULL, tenant_id bigint NOT NULL, email text NOT NULL,
          status text NOT NULL, amount numeric(12,2) NOT NULL, payload jsonb,
          created_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (id))""",
        """
        INSERT INTO orders SELECT g, (g * 7919) % 50000, 'user' || g || '@example.com',
               (array['new', 'paid', 'shipped'])[1 + g % 3], (g % 100000) / 100.0,
               jsonb_build_object('sku', md5(g::text), 'qty', g % 10, 'note', repeat('x', (g % 80)::int)),
               now() - (g || ' seconds')::interval
          FROM generate_series(1, {rows}::bigint) g"""
            .replace("{rows}", Long.toString(rows)),
        "CREATE INDEX orders_tenant ON orders (tenant_id)",
        "VACUUM ANALYZE orders");
    source.executeAsSuperuser("CHECKPOINT");
  }

  /** Updates {@code changes} rows, ten neighbours in a transaction. */
  static void update(SandboxShard source, long rows, long changes)
      throws SQLException, InterruptedException {
    ExecutorService clients = Executors.newFixedThreadPool(CLIENTS);
    try {
      List<Future<Void>> running = new ArrayList<>();
      for (int i = 0; i < CLIENTS; i++) {
        long share = changes / ROWS_PER_TRANSACTION / CLIENTS;
        Callable<Void> client = () -> update(source, rows, share, ThreadLocalRandom.current());
        running.add(clients.submit(client));
      }
      for (Future<Void> client : running) {
        client.get();
      }
    } catch (ExecutionException e) {
      throw new SQLException("a client that writes the backlog failed", e.getCause());
    } finally {
      clients.shutdownNow();
    }
  }

  private static Void update(
      SandboxShard source, long rows, long transactions, ThreadLocalRandom random)
      throws SQLException {
    try (Connection session = source.connectAsOwner();
        PreparedStatement update =
            session.prepareStatement(
                "UPDATE orders SET status = 'paid', amount = amount + 1 WHERE id BETWEEN ? AND ?")) {
      for (long done = 0; done < transactions; done++) {
        long base = random.nextLong(1, rows - ROWS_PER_TRANSACTION + 2);
        update.setLong(1, base);
        update.setLong(2, base + ROWS_PER_TRANSACTION - 1);
        executeAgainstOthers(update);
      }
    }
    return null;
  }

  /** Two clients at neighbouring rows may wait for each other; one is told to try again. */
  private static void executeAgainstOthers(PreparedStatement update) throws SQLException {
    while (true) {
      try {
        update.executeUpdate();
        return;
      } catch (SQLException e) {
        if (!DEADLOCK.equals(e.getSQLState())) {
          throw e;
        }
      }
    }
  }
}

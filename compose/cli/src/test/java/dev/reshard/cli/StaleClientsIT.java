package dev.reshard.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.reshard.control.MigrationState;
import dev.reshard.guard.Guard;
import dev.reshard.keyspace.Move;
import dev.reshard.keyspace.ShardId;
import dev.reshard.sandbox.RowComparer;
import dev.reshard.sandbox.RowSelection;
import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShard;
import dev.reshard.spec.SpecReader;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Clients that ignore the router, on a shard whose buckets have left. */
@Timeout(180)
class StaleClientsIT {
  private static final String EVENT =
      "INSERT INTO public.events VALUES (%s, now(), '%s', 'around the router', '{}')";

  @TempDir private Path folder;

  @Test
  void noClientCanWriteToTheOldOwnerAfterACutover() throws Exception {
    try (Shop shop = Shop.open(folder, "stale", 2, 3)) {
      SandboxShard source = shop.shards.get("a");
      SandboxShard destination = shop.shards.get("c");
      Move move = moveFromA(shop);
      String moved = tenant(source, Shop.BUCKETS.sqlIn("id", move.buckets()));
      String staying = tenant(source, "NOT (%s)".formatted(Shop.BUCKETS.sqlIn("id", move.buckets())));
      redirectEvents(source, moved);
      try (WorkerProcess worker = WorkerProcess.start(shop.file);
          Connection old = source.connect(SandboxRole.APP);
          Connection replica = source.connect(SandboxRole.SUPERUSER);
          Connection plain = source.connect(SandboxRole.APP)) {
        shop.awaitState(MigrationState.READY_FOR_CUTOVER);
        shop.succeed("verify");
        old.setAutoCommit(false);
        old.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
        execute(old, "SELECT FROM public.tenants");
        execute(replica, "SET session_replication_role = replica");
        shop.succeedOnceGatesOpen("cutover");
        shop.clients.stop();

        refuses(old, EVENT.formatted(moved, "old snapshot"));
        refuses(replica, EVENT.formatted(moved, "replica role"));
        refuses(replica, "UPDATE public.tenants SET version = 0 WHERE id = " + moved);
        refuses(replica, "DELETE FROM public.events WHERE tenant_id = " + moved);
        refuses(plain, EVENT.formatted(staying, "redirect"));
        refuses(plain, "UPDATE public.orders SET tenant_id = %s WHERE tenant_id = %s".formatted(moved, staying));
        execute(plain, EVENT.formatted(staying, "stays")); // others' buckets take writes
        try (Connection there = destination.connect(SandboxRole.APP)) {
          execute(there, EVENT.formatted(moved, "moved"));
        }
        shop.succeed("rollback"); // so that the source has applied all that the destination took
        for (String table : new String[] {"tenants", "orders", "order_items", "events"}) {
          String inMove = Shop.BUCKETS.sqlIn(table.equals("tenants") ? "id" : "tenant_id", move.buckets());
          RowComparer.withoutKey()
              .compare(
                  RowSelection.of(destination, table).where(inMove),
                  RowSelection.of(source, table).where(inMove))
              .requireEqual();
        }
        assertEquals("ROLLED_BACK", shop.state());
      }
    }
  }

  private static Move moveFromA(Shop shop) throws SQLException {
    try (Wiring wiring = new Wiring(SpecReader.read(shop.file))) {
      return wiring.plan().moves().from(new ShardId("a")).get(0);
    }
  }

  private static String tenant(SandboxShard shard, String condition) throws SQLException {
    return shard.query("SELECT min(id) FROM public.tenants WHERE " + condition).get(0);
  }

  /** A trigger of the application's that changes the shard key before the row is stored. */
  private static void redirectEvents(SandboxShard shard, String tenant) throws SQLException {
    shard.execute(
        """
        CREATE FUNCTION public.redirect() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          NEW.tenant_id := %s;
          RETURN NEW;
        END $$"""
            .formatted(tenant),
        """
        CREATE TRIGGER redirect BEFORE INSERT ON public.events FOR EACH ROW
          WHEN (NEW.kind = 'redirect') EXECUTE FUNCTION public.redirect()""");
  }

  private static void execute(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  private static void refuses(Connection connection, String write) {
    SQLException refusal = assertThrows(SQLException.class, () -> execute(connection, write), write);
    assertEquals(Guard.REFUSED_WRITE, refusal.getSQLState(), refusal::getMessage);
  }
}

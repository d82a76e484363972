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
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Clients that ignore the router, on a shard whose buckets have left. */
@Timeout(60)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class StaleClientsIT {
  private static final String EVENT =
      "INSERT INTO public.events VALUES (%s, now(), '%s', 'around the router', '{}')";

  private Shop shop;
  private WorkerProcess worker;
  private SandboxShard source;
  private SandboxShard destination;
  private Move move;
  private String moved;
  private String staying;
  private Connection oldSnapshot;

  @BeforeAll
  @Timeout(300)
  void cutOver(@TempDir Path folder) throws Exception {
    shop = Shop.open(folder, "stale", 2, 3);
    source = shop.shards.get("a");
    destination = shop.shards.get("c");
    move = moveFromA(shop);
    String leaves = Shop.BUCKETS.sqlIn("id", move.buckets());
    moved = tenant(source, leaves);
    staying = tenant(source, "NOT (%s)".formatted(leaves));
    shop.beginOnly(); // a check would refuse the trigger
    redirectEvents(source, moved);
    worker = WorkerProcess.start(shop.file);
    shop.awaitState(MigrationState.READY_FOR_CUTOVER);
    shop.succeed("verify");
    oldSnapshot = source.connect(SandboxRole.APP);
    oldSnapshot.setAutoCommit(false);
    oldSnapshot.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
    execute(oldSnapshot, "SELECT FROM public.tenants");
    shop.succeedOnceGatesOpen("cutover");
    shop.clients.stop();
  }

  /** After a rollback the old owner has applied all that the new one took: both say the same. */
  @AfterAll
  @Timeout(120)
  void compareMovedRows() throws Exception {
    try {
      shop.succeed("rollback");
      for (String table : new String[] {"tenants", "orders", "order_items", "events"}) {
        String key = table.equals("tenants") ? "id" : "tenant_id";
        String inMove = Shop.BUCKETS.sqlIn(key, move.buckets());
        RowComparer.withoutKey()
            .compare(
                RowSelection.of(destination, table).where(inMove),
                RowSelection.of(source, table).where(inMove))
            .requireEqual();
      }
    } finally {
      worker.close();
      oldSnapshot.close();
      shop.close();
    }
  }

  @Test
  void aTransactionOlderThanTheFenceCannotWrite() {
    refuses(oldSnapshot, EVENT.formatted(moved, "old snapshot"));
  }

  @Test
  void aSuperuserInReplicaRoleCannotWrite() throws Exception {
    try (Connection replica = source.connect(SandboxRole.SUPERUSER)) {
      execute(replica, "SET session_replication_role = replica");
      refuses(replica, EVENT.formatted(moved, "replica role"));
      refuses(replica, "UPDATE public.tenants SET version = 0 WHERE id = " + moved);
      refuses(replica, "DELETE FROM public.events WHERE tenant_id = " + moved);
    }
  }

  @Test
  void aTriggerThatChangesTheShardKeyCannotBringARowBack() throws Exception {
    try (Connection client = source.connect(SandboxRole.APP)) {
      refuses(client, EVENT.formatted(staying, "redirect"));
    }
  }

  @Test
  void anUpdateOfTheShardKeyCannotBringARowBack() throws Exception {
    try (Connection client = source.connect(SandboxRole.APP)) {
      refuses(
          client,
          "UPDATE public.orders SET tenant_id = %s WHERE tenant_id = %s".formatted(moved, staying));
    }
  }

  @Test
  void bucketsThatStayedAndTheNewOwnerTakeWrites() throws Exception {
    try (Connection client = source.connect(SandboxRole.APP);
        Connection there = destination.connect(SandboxRole.APP)) {
      execute(client, EVENT.formatted(staying, "stays"));
      execute(there, EVENT.formatted(moved, "moved"));
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
    SQLException refusal =
        assertThrows(SQLException.class, () -> execute(connection, write), write);
    assertEquals(Guard.REFUSED_WRITE, refusal.getSQLState(), refusal::getMessage);
  }
}

package dev.reshard.guard;

import static dev.reshard.guard.GuardedShard.execute;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reshard.keyspace.DirectoryBuckets;
import dev.reshard.keyspace.Keyspace;
import dev.reshard.postgres.Marker;
import dev.reshard.postgres.OwnTransaction;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * HAZARDS F9: a row that comes into a moving bucket by UPDATE brings what the UPDATE leaves out.
 */
class RowMessageIT {
  private GuardedShard a;
  private Connection app;
  private CommitOrder order;

  @BeforeEach
  void arm() throws SQLException {
    a =
        GuardedShard.create(
            GuardedShard.A,
            List.of(
                """
                CREATE TABLE orders (id bigint, customer bigint NOT NULL, "odd $row$ 'name" text,
                  amounts numeric[], image bytea, PRIMARY KEY (id, customer))""",
                "INSERT INTO orders VALUES (7, 5, 'it''s', '{1.50,NULL}', NULL)"),
            "orders.customer");
    a.arm();
    app = a.app();
    order = CommitOrder.from(a.shard);
  }

  @AfterEach
  void drop() throws SQLException {
    order.close();
    app.close();
    a.close();
  }

  @Test
  void aMessageWithTheWholeRowFollowsTheUpdateInItsTransaction() throws SQLException {
    execute(app, "SET bytea_output = escape");
    execute(app, "UPDATE orders SET image = '\\x00ff', customer = 1 WHERE id = 7");
    List<CommitOrder.Entry> entries = order.read();
    assertEquals(2, entries.size(), CommitOrder.text(entries));
    assertEquals(Marker.ROW, entries.get(1).prefix());
    assertEquals(
        "{\"schema\" : \"public\", \"name\" : \"orders\", \"key\" : {\"customer\" : \"1\", \"id\" :"
            + " \"7\"}, \"values\" : {\"amounts\" : \"{1.50,NULL}\", \"image\" : \"\\\\x00ff\","
            + " \"odd $row$ 'name\" : \"it's\"}}",
        entries.get(1).content());
  }

  @Test
  void noMessageComesWhereTheRowStaysOrTheBucketDoesNotMove() throws SQLException {
    execute(
        app,
        "UPDATE orders SET amounts = '{2}' WHERE id = 7",
        "UPDATE orders SET customer = 6 WHERE id = 7",
        "UPDATE orders SET customer = 22 WHERE id = 7");
    assertEquals(List.of(), order.read().stream().filter(CommitOrder.Entry::isMessage).toList());
  }

  @Test
  void ourOwnTransactionsSendNone() throws SQLException {
    try (OwnTransaction own =
        OwnTransaction.begin(a.ours, a.worker, OwnTransaction.Durability.SYNCHRONOUS)) {
      execute(a.ours, "UPDATE public.orders SET customer = 1 WHERE id = 7");
      own.commit();
    }
    assertEquals(
        List.of(a.worker.marker().prefix()),
        order.read().stream()
            .filter(CommitOrder.Entry::isMessage)
            .map(CommitOrder.Entry::prefix)
            .toList());
  }

  /** As of a user's directory, which names the other keys only. */
  @Test
  void aRowThatComesFromNoBucketBringsAllThatTheUpdateLeavesOut() throws SQLException {
    DirectoryBuckets directory =
        DirectoryBuckets.of("shop", "select customer, shard from t")
            .withKeys(IntStream.range(0, 16).mapToObj(Integer::toString).toList());
    Keyspace keyspace = new Keyspace("shop", directory, a.keyspace.sharded(), List.of());
    try (GuardedShard b =
            GuardedShard.create(
                GuardedShard.A,
                List.of(
                    "CREATE TABLE orders (id bigint, customer bigint NOT NULL, amounts numeric[], PRIMARY KEY (id, customer))",
                    "INSERT INTO orders VALUES (7, 99, '{1}')"),
                keyspace);
        Connection other = b.app();
        CommitOrder seen = CommitOrder.from(b.shard)) {
      b.arm();
      execute(other, "UPDATE orders SET customer = 98", "UPDATE orders SET customer = 1");
      List<CommitOrder.Entry> messages =
          seen.read().stream().filter(CommitOrder.Entry::isMessage).toList();
      assertEquals(1, messages.size(), CommitOrder.text(messages));
      assertEquals(Marker.ROW, messages.get(0).prefix());
    }
  }
}

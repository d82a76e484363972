package dev.reshard.guard;

import static dev.reshard.guard.GuardedShard.execute;
import static dev.reshard.guard.GuardedShard.outcome;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** HAZARDS F26. */
class PrivateRangesIT {
  private static final long FIRST = 1L << 40;
  private static final long SIZE = 1L << 36;

  private GuardedShard b;
  private Connection app;
  private PrivateRanges ranges;

  @BeforeEach
  void create() throws SQLException {
    b =
        GuardedShard.create(
            GuardedShard.B,
            List.of(
                "CREATE TABLE orders (id bigserial PRIMARY KEY, customer bigint)",
                "ALTER SEQUENCE orders_id_seq INCREMENT BY 50 CACHE 20",
                """
                CREATE TABLE small (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                  customer bigint)"""),
            "orders.customer",
            "small.customer");
    app = b.app();
    ranges =
        new PrivateRanges(b.keyspace, new Patience(Duration.ofMillis(50), Duration.ofMillis(500)));
  }

  @AfterEach
  void drop() throws SQLException {
    app.close();
    b.close();
  }

  @Test
  void aSessionThatHasCachedIdsMintsFromTheRangeAtOnceAndTheIncrementStays() throws SQLException {
    execute(app, "INSERT INTO orders (customer) VALUES (9)");
    ranges.take(b.ours, 3, 4, Map.of(), 1);
    execute(app, "INSERT INTO orders (customer) VALUES (9), (9)");
    long from = FIRST + 3 * SIZE;
    assertEquals(
        List.of("1", Long.toString(from), Long.toString(from + 50)),
        b.shard.query("SELECT id FROM orders ORDER BY 1"));
  }

  @Test
  void intIdsShareWhatNoShardHasUsed() throws SQLException {
    execute(app, "INSERT INTO small (customer) VALUES (9)");
    Map<String, Long> highest = ranges.highest(b.ours, Map.of("public.small.id", 1_000_000L));
    List<PrivateRanges.Taken> taken = ranges.take(b.ours, 0, 2, highest, 1_000_000);
    PrivateRanges.Taken small = taken.get(1);
    long share = (Integer.MAX_VALUE - 1_000_000L) / 3;
    assertEquals(1_000_000 + share + 1, small.from());
    assertEquals(small.from() + share - 1, small.to());
    execute(app, "INSERT INTO small (customer) VALUES (9)");
    assertEquals(
        List.of("1", Long.toString(small.from())),
        b.shard.query("SELECT id FROM small ORDER BY 1"));
  }

  @Test
  void intIdsThatAreAlmostUsedUpAreRefusedByName() {
    SQLException refused =
        assertThrows(
            PrivateRanges.RefusedException.class,
            () -> ranges.take(b.ours, 0, 2, Map.of("public.small.id", 2_147_000_000L), 1_000_000));
    assertTrue(refused.getMessage().contains("public.small_id_seq"), refused.getMessage());
  }

  @Test
  void idsThatReachIntoTheRangesAreRefusedByName() throws SQLException {
    b.shard.query("SELECT setval('orders_id_seq', %d)".formatted(FIRST + (1L << 36) + 5));
    assertThrows(
        PrivateRanges.RefusedException.class, () -> ranges.take(b.ours, 0, 2, Map.of(), 1));
    b.shard.query("SELECT setval('orders_id_seq', 5)");
    Map<String, Long> another = Map.of("public.orders.id", FIRST + 5);
    assertThrows(PrivateRanges.RefusedException.class, () -> ranges.take(b.ours, 0, 2, another, 1));
  }

  @Test
  void aRangeOfAnEarlierMigrationIsGoneOnWith() throws SQLException {
    b.shard.query("SELECT setval('orders_id_seq', %d)".formatted(FIRST + 5));
    ranges.take(b.ours, 0, 2, Map.of(), 1);
    assertEquals(
        List.of(Long.toString(FIRST + 55)), b.shard.query("SELECT nextval('orders_id_seq')::text"));
  }

  @Test
  void whatIsInItsRangeIsLeftAlone() throws SQLException {
    ranges.take(b.ours, 0, 2, Map.of(), 1);
    execute(app, "INSERT INTO orders (customer) VALUES (9)");
    List<PrivateRanges.Taken> again = ranges.take(b.ours, 0, 2, Map.of(), 1);
    assertEquals(FIRST, again.get(0).from());
    execute(app, "INSERT INTO orders (customer) VALUES (9)");
    assertEquals(
        List.of(Long.toString(FIRST), Long.toString(FIRST + 50)),
        b.shard.query("SELECT id FROM orders ORDER BY 1"));
  }

  @Test
  void givingBackGoesOnWhereTheSequenceWas() throws SQLException {
    String state =
        "SELECT (seqmax, seqincrement, seqcache)::text FROM pg_sequence ORDER BY seqrelid";
    List<String> before = b.shard.query(state);
    execute(app, "INSERT INTO small (customer) VALUES (9)");
    ranges.take(b.ours, 0, 2, Map.of(), 1);
    ranges.giveBack(b.ours);
    execute(app, "INSERT INTO small (customer) VALUES (9)");
    assertEquals("2", b.shard.query("SELECT id FROM small ORDER BY 1").get(1));
    assertEquals(before, b.shard.query(state));
  }

  @Test
  void aRangeOfWhichIdsWereGivenOutStays() throws SQLException {
    ranges.take(b.ours, 0, 2, Map.of(), 1);
    execute(app, "INSERT INTO orders (customer) VALUES (9)");
    ranges.giveBack(b.ours);
    execute(app, "INSERT INTO orders (customer) VALUES (9)");
    assertEquals(
        List.of(Long.toString(FIRST), Long.toString(FIRST + 20 * 50)),
        b.shard.query("SELECT id FROM orders ORDER BY 1"));
  }

  /** A shard of an earlier migration may have given ids out that rows took home since. */
  @Test
  void intIdsThatAnEarlierDestinationMayHaveGivenOutAreRefusedByName() {
    SQLException refused =
        assertThrows(
            PrivateRanges.RefusedException.class, () -> ranges.take(b.ours, 1, 1, Map.of(), 1));
    assertTrue(refused.getMessage().contains("sequences: keep"), refused.getMessage());
  }

  @Test
  void aTransactionThatUsedTheSequenceIsNamedAndNobodyQueuesBehindUs() throws SQLException {
    execute(app, "BEGIN", "INSERT INTO orders (customer) VALUES (9)");
    TableBusyException busy =
        assertThrows(TableBusyException.class, () -> ranges.take(b.ours, 0, 2, Map.of(), 1));
    assertEquals("app", busy.holders().get(0).role());
    execute(app, "COMMIT");
    assertEquals("passed", outcome(app, "INSERT INTO orders (customer) VALUES (9)"));
  }
}

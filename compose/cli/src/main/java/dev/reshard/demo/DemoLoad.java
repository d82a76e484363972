package dev.reshard.demo;

import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.Partitioning;
import dev.reshard.keyspace.ShardMap;
import dev.reshard.sandbox.SandboxShard;
import dev.reshard.sandbox.SandboxShards;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Fills the demo's tables. Each server makes the rows of its own buckets by itself: rows are
 * numbered over all shards, and each takes those that are its. Stateless.
 */
public final class DemoLoad {
  /** Odd, so that it meets every remainder by a power of two. */
  private static final int STRIDE = 37;

  /** Of a hundred rows about one is a tenant, 30 are orders and 50 items; the rest are events. */
  private static final int ROWS_PER_TENANT = 100;

  private DemoLoad() {}

  /**
   * What was loaded. Immutable.
   *
   * @param rows by table, over all shards
   * @param bytes of tables and indexes, over all shards
   */
  public record Loaded(SortedMap<String, Long> rows, long bytes) {
    public Loaded {
      rows = new TreeMap<>(rows);
    }

    public long total() {
      return rows.values().stream().mapToLong(Long::longValue).sum();
    }
  }

  /**
   * Makes the tables on all shards, and the rows on those that own buckets.
   *
   * @param rows in all sharded tables of all shards together, from 1000
   */
  public static Loaded load(
      SandboxShards shards, ShardMap map, Partitioning partitioning, long rows)
      throws SQLException, InterruptedException {
    if (rows < 1000) {
      throw new IllegalArgumentException("the demo needs at least 1000 rows, got " + rows);
    }
    long tenants = rows / ROWS_PER_TENANT;
    long orders = rows * 3 / 10;
    long events = rows - tenants - orders - itemsOf(orders);
    return sum(
        OnEveryShard.run(
            shards.all(),
            shard -> {
              DemoSchema.create(shard, shards.all().indexOf(shard));
              return fill(shard, partitioning, ownedBy(shard, map), tenants, orders, events);
            }));
  }

  private static BucketSet ownedBy(SandboxShard shard, ShardMap map) {
    return map.byShard().entrySet().stream()
        .filter(entry -> entry.getKey().name().equals(shard.name()))
        .map(entry -> entry.getValue())
        .findFirst()
        .orElse(BucketSet.empty());
  }

  /** Every third order has one item, the others two; by number, so the same on every shard. */
  private static long itemsOf(long orders) {
    return orders * 2 - orders / 3;
  }

  private static Loaded fill(
      SandboxShard shard,
      Partitioning partitioning,
      BucketSet owned,
      long tenants,
      long orders,
      long events)
      throws SQLException {
    SortedMap<String, Long> counts = new TreeMap<>();
    try (Connection connection = shard.connectAsOwner();
        Statement statement = connection.createStatement()) {
      statement.execute("SET synchronous_commit = off");
      if (!owned.isEmpty()) {
        String mine = partitioning.sqlIn("tenant", owned);
        counts.put(
            "tenants",
            statement.executeLargeUpdate(TENANTS.formatted(tenant("n - 1"), tenants, mine)));
        counts.put(
            "orders",
            statement.executeLargeUpdate(
                ORDERS.formatted(tenant("n * 7919 % " + tenants), orders, mine)));
        counts.put("order_items", statement.executeLargeUpdate(ITEMS));
        counts.put(
            "events",
            statement.executeLargeUpdate(
                EVENTS.formatted(tenant("n * 104729 % " + tenants), events, mine)));
      }
      statement.execute("ANALYZE plans, tenants, orders, order_items, events");
      return new Loaded(counts, bytes(statement));
    }
  }

  /** Numbers that few tenants spread over all buckets: no neighbours. */
  private static String tenant(String number) {
    return "1 + (%s) * %d".formatted(number, STRIDE);
  }

  private static long bytes(Statement statement) throws SQLException {
    try (ResultSet row =
        statement.executeQuery(
            """
            SELECT sum(pg_total_relation_size(t))::bigint
              FROM unnest('{plans,tenants,orders,order_items,events}'::regclass[]) t""")) {
      row.next();
      return row.getLong(1);
    }
  }

  private static Loaded sum(List<Loaded> parts) {
    SortedMap<String, Long> rows = new TreeMap<>();
    parts.forEach(part -> part.rows().forEach((table, n) -> rows.merge(table, n, Long::sum)));
    return new Loaded(rows, parts.stream().mapToLong(Loaded::bytes).sum());
  }

  private static final String TENANTS =
      """
      INSERT INTO tenants (id, name, plan_id, created_at, version)
      SELECT tenant, 'Tenant ' || tenant, 1 + tenant %% 4,
             timestamptz '2024-01-01 00:00:00+00' + tenant * interval '1 minute', 1
        FROM (SELECT %s AS tenant FROM generate_series(1::bigint, %d) n) numbered WHERE %s""";

  /** The note: of a hundred orders one has one that does not compress, ten one that does. */
  private static final String ORDERS =
      """
      INSERT INTO orders (tenant_id, status, amount, tags, payload, note, placed_at, version)
      SELECT tenant, (enum_range(NULL::order_status))[(1 + n %% 4)::int], (n %% 100000) / 100.0,
             ARRAY['lot ' || n %% 97, CASE WHEN n %% 5 = 0 THEN NULL ELSE 'it''s {"odd"}' END],
             jsonb_build_object('number', n, 'gift', n %% 7 = 0, 'address',
               jsonb_build_object('street', md5('s' || n), 'city', 'Zürich', 'code', md5('c' || n)),
               'history', jsonb_build_array(md5('1' || n), md5('2' || n), md5('3' || n),
                 md5('4' || n), md5('5' || n), md5('6' || n), md5('7' || n), md5('8' || n),
                 md5('9' || n), md5('0' || n))),
             CASE WHEN n %% 100 = 0
                    THEN (SELECT string_agg(md5(n || ' ' || i), '') FROM generate_series(1, 290) i)
                  WHEN n %% 10 = 1 THEN repeat('call before delivery ' || n || '; ', 120)
                  WHEN n %% 3 = 0 THEN 'leave at the door' END,
             timestamptz '2024-06-01 00:00:00.123456+00' + n * interval '7 seconds', 1
        FROM (SELECT n, %s AS tenant FROM generate_series(1::bigint, %d) n) numbered
       WHERE %s""";

  private static final String ITEMS =
      """
      INSERT INTO order_items (tenant_id, order_id, line_no, product, quantity, price)
      SELECT tenant_id, id, line, 'product ' || md5(id || ' ' || line), 1 + id % 9, amount / line
        FROM orders,
             generate_series(1, CASE WHEN (payload ->> 'number')::bigint % 3 = 0 THEN 1 ELSE 2 END) line""";

  private static final String EVENTS =
      """
      INSERT INTO events (tenant_id, at, kind, op, detail)
      SELECT tenant, timestamptz '2024-06-01 00:00:00+00' + n * interval '11 seconds', 'loaded',
             'load-' || n, jsonb_build_object('n', n, 'trace', md5('e' || n))
        FROM (SELECT n, %s AS tenant FROM generate_series(1::bigint, %d) n) numbered
       WHERE %s""";
}

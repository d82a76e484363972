package dev.reshard.demo;

import dev.reshard.sandbox.SandboxRole;
import dev.reshard.sandbox.SandboxShard;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Locale;
import java.util.UUID;

/** A sharded table of the demo, and how all its rows are read. */
enum DemoTable {
  TENANTS("id, 0, 0", "id", "version"),
  ORDERS("id, 0, 0", "tenant_id", "version"),
  ORDER_ITEMS("tenant_id, order_id, line_no", "tenant_id", "0"),
  /** Has no key that PostgreSQL knows of, but no two rows are of the same operation. */
  EVENTS("md5(op)::uuid, 0, 0", "tenant_id", "0");

  /**
   * SQL for what a row of alias {@code r} says, all columns of it, in 128 bits. The same session
   * settings on both sides are a must; all readers are in one process.
   */
  static final String DIGEST = "md5(r::text)::uuid";

  private static final int FETCHED_AT_ONCE = 2000;

  private final String key;
  private final String tenant;
  private final String version;

  DemoTable(String key, String tenant, String version) {
    this.key = key;
    this.tenant = tenant;
    this.version = version;
  }

  /** Its name in the database. */
  String sqlName() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** SQL for a row's version. */
  String version() {
    return version;
  }

  /** The key of a row without a key. */
  static RowKey keyOfEvent(UUID md5OfOp) {
    return new RowKey(
        EVENTS, md5OfOp.getMostSignificantBits(), md5OfOp.getLeastSignificantBits(), 0);
  }

  /** Takes rows, from several threads. */
  interface Rows {
    void take(SandboxShard shard, RowKey key, RowState state);
  }

  /** Hands over every row of every table of every shard that has these tables. */
  static void scan(List<SandboxShard> shards, Rows rows) throws SQLException, InterruptedException {
    OnEveryShard.run(
        shards,
        shard -> {
          try (Connection connection = shard.connect(SandboxRole.SUPERUSER);
              Statement statement = connection.createStatement()) {
            // or all rows of a table would come at once
            connection.setAutoCommit(false);
            statement.setFetchSize(FETCHED_AT_ONCE);
            for (DemoTable table : values()) {
              table.scan(statement, shard, rows);
            }
          }
          return shard;
        });
  }

  private void scan(Statement statement, SandboxShard shard, Rows rows) throws SQLException {
    try (ResultSet exists =
        statement.executeQuery(
            "SELECT FROM pg_tables WHERE schemaname = 'public' AND tablename = '%s'"
                .formatted(sqlName()))) {
      if (!exists.next()) {
        return;
      }
    }
    try (ResultSet row =
        statement.executeQuery(
            "SELECT %s, %s, %s, %s FROM public.%s r"
                .formatted(key, tenant, version, DIGEST, sqlName()))) {
      while (row.next()) {
        RowKey rowKey =
            this == EVENTS
                ? keyOfEvent(row.getObject(1, UUID.class))
                : new RowKey(this, row.getLong(1), row.getLong(2), row.getInt(3));
        rows.take(
            shard,
            rowKey,
            new RowState(row.getLong(4), row.getObject(6, UUID.class), row.getLong(5)));
      }
    }
  }
}

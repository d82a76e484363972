package dev.reshard.demo;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Locale;
import java.util.UUID;
import java.util.function.BiConsumer;

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

  /**
   * Hands over every row; nothing if the shard does not have the table.
   *
   * @param connection not in autocommit, or the whole table comes at once
   */
  void scan(Connection connection, BiConsumer<RowKey, RowState> rows) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.setFetchSize(FETCHED_AT_ONCE);
      try (ResultSet found =
          statement.executeQuery(
              "SELECT to_regclass('public.%s') IS NOT NULL".formatted(sqlName()))) {
        found.next();
        if (!found.getBoolean(1)) {
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
          rows.accept(
              rowKey, new RowState(row.getLong(4), row.getObject(6, UUID.class), row.getLong(5)));
        }
      }
    }
  }
}

package dev.reshard.demo;

/**
 * What tells a row from all others of all shards. Immutable.
 *
 * @param a the first column of the key; b and c are 0 where the key has fewer
 */
record RowKey(DemoTable table, long a, long b, int c) {
  static RowKey tenant(long id) {
    return new RowKey(DemoTable.TENANTS, id, 0, 0);
  }

  static RowKey order(long id) {
    return new RowKey(DemoTable.ORDERS, id, 0, 0);
  }

  static RowKey item(long tenant, long order, int line) {
    return new RowKey(DemoTable.ORDER_ITEMS, tenant, order, line);
  }

  /**
   * SQL that finds the row, by shard key and primary key.
   *
   * @param tenant the shard key of the row now
   */
  String condition(long tenant) {
    return switch (table) {
      case TENANTS -> "id = %d".formatted(a);
      case ORDERS -> "tenant_id = %d AND id = %d".formatted(tenant, a);
      case ORDER_ITEMS ->
          "tenant_id = %d AND order_id = %d AND line_no = %d".formatted(tenant, b, c);
      case EVENTS -> throw new IllegalStateException("events are not changed");
    };
  }

  /** For people: the table and the key, no other value. */
  @Override
  public String toString() {
    return switch (table) {
      case TENANTS, ORDERS -> "%s %d".formatted(table.sqlName(), a);
      case ORDER_ITEMS -> "%s (%d, %d, %d)".formatted(table.sqlName(), a, b, c);
      case EVENTS -> "%s with md5(op) %016x%016x".formatted(table.sqlName(), a, b);
    };
  }
}

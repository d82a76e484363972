package dev.reshard.demo;

import static dev.reshard.demo.DemoTable.DIGEST;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * One try of a client's transaction. Every statement that changes a row also says what the row was
 * just before, so that a client notices a change that it lost before its next one hides that.
 * Confined to one thread.
 */
final class DemoTransaction {
  /** Larger than a page and not to be compressed, so that it is kept out of line. */
  private static final String LARGE_NOTE =
      "(SELECT string_agg(md5(random()::text || i), '') FROM generate_series(1, 290) i)";

  private final Connection connection;
  private final DemoLedger ledger;
  private final String op;
  private final List<Change> changes = new ArrayList<>();

  /**
   * @param op stands in every row that is written; no other transaction has it
   */
  DemoTransaction(Connection connection, DemoLedger ledger, String op) {
    this.connection = connection;
    this.ledger = ledger;
    this.op = op;
  }

  /** All rows that were changed so far. */
  List<Change> changes() {
    return List.copyOf(changes);
  }

  /** A new order with its items. */
  DemoOrder place(long tenant, int lines, boolean largeNote) throws SQLException {
    Inserted order =
        insert(
            DemoTable.ORDERS,
            """
            (tenant_id, status, amount, tags, payload, note, placed_at, version, last_op)
            VALUES (%d, 'new', random() * 1000, ARRAY['%s', NULL], '{"gift": false}', %s,
                    clock_timestamp(), 1, '%s')"""
                .formatted(tenant, op, largeNote ? LARGE_NOTE : "'ring twice'", op),
            "r.id");
    long id = Long.parseLong(order.id());
    inserted(RowKey.order(id), tenant, order.digest(), 1);
    for (int line = 1; line <= lines; line++) {
      addItem(tenant, id, line);
    }
    return new DemoOrder(id, tenant, lines);
  }

  /** Changes small columns only: the note stays where it is, and no change carries it. */
  DemoOrder advance(DemoOrder order) throws SQLException {
    update(
        RowKey.order(order.id()),
        "status = (enum_range(NULL::order_status))[1 + r.version % 4], amount = r.amount + 0.01,"
            + " payload = r.payload || jsonb_build_object('seen', r.version),"
            + " version = r.version + 1");
    return order;
  }

  DemoOrder rewriteNote(DemoOrder order) throws SQLException {
    update(RowKey.order(order.id()), "version = r.version + 1, note = " + LARGE_NOTE);
    return order;
  }

  /** One item more, and what that does to the order and its tenant. */
  DemoOrder extend(DemoOrder order) throws SQLException {
    int line = order.lines() + 1;
    update(RowKey.tenant(order.tenant()), "version = r.version + 1");
    update(RowKey.order(order.id()), "version = r.version + 1, amount = r.amount + 1");
    addItem(order.tenant(), order.id(), line);
    return new DemoOrder(order.id(), order.tenant(), line);
  }

  /** Changes the shard key of an order and of its items, whose primary key it is a part of. */
  DemoOrder give(DemoOrder order, long tenant) throws SQLException {
    RowKey key = RowKey.order(order.id());
    update(key, key, tenant, "version = r.version + 1, tenant_id = " + tenant);
    for (int line = 1; line <= order.lines(); line++) {
      update(
          RowKey.item(order.tenant(), order.id(), line),
          RowKey.item(tenant, order.id(), line),
          tenant,
          "tenant_id = " + tenant);
    }
    return new DemoOrder(order.id(), tenant, order.lines());
  }

  Optional<DemoOrder> delete(DemoOrder order) throws SQLException {
    for (int line = 1; line <= order.lines(); line++) {
      delete(RowKey.item(order.tenant(), order.id(), line));
    }
    delete(RowKey.order(order.id()));
    return Optional.empty();
  }

  /** Each transaction writes one event: were it run twice, the event would be there twice. */
  void log(long tenant, String kind) throws SQLException {
    Inserted event =
        insert(
            DemoTable.EVENTS,
            """
            (tenant_id, at, kind, op, detail)
            VALUES (%d, clock_timestamp(), '%s', '%s', '{"by": "client"}')"""
                .formatted(tenant, kind, op),
            "md5(r.op)::uuid");
    inserted(DemoTable.keyOfEvent(UUID.fromString(event.id())), tenant, event.digest(), 0);
  }

  private void addItem(long tenant, long order, int line) throws SQLException {
    Inserted item =
        insert(
            DemoTable.ORDER_ITEMS,
            """
            (tenant_id, order_id, line_no, product, quantity, price, last_op)
            VALUES (%d, %d, %d, md5(random()::text), 1 + (random() * 8)::int, random() * 100,
                    '%s')"""
                .formatted(tenant, order, line, op),
            "r.order_id");
    inserted(RowKey.item(tenant, order, line), tenant, item.digest(), 0);
  }

  private void update(RowKey key, String set) throws SQLException {
    update(key, key, expected(key).tenant(), set);
  }

  /**
   * @param to the row's key afterwards
   * @param tenant its shard key afterwards
   */
  private void update(RowKey from, RowKey to, long tenant, String set) throws SQLException {
    RowState expected = expected(from);
    DemoTable table = from.table();
    String condition = from.condition(expected.tenant());
    try (Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                """
                UPDATE %1$s r SET %2$s, last_op = '%3$s'
                  FROM (SELECT %4$s AS digest FROM %1$s r WHERE %5$s FOR UPDATE) was
                 WHERE %5$s RETURNING was.digest, %6$s, %4$s"""
                    .formatted(table.sqlName(), set, op, DIGEST, condition, table.version()))) {
      check(from, expected, row);
      RowState after = new RowState(tenant, row.getObject(3, UUID.class), row.getLong(2));
      if (from.equals(to)) {
        changes.add(new Change(from, Optional.of(expected), Optional.of(after)));
      } else {
        changes.add(new Change(from, Optional.of(expected), Optional.empty()));
        changes.add(new Change(to, Optional.empty(), Optional.of(after)));
      }
    }
  }

  private void delete(RowKey key) throws SQLException {
    RowState expected = expected(key);
    try (Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                "DELETE FROM %s r WHERE %s RETURNING %s"
                    .formatted(key.table().sqlName(), key.condition(expected.tenant()), DIGEST))) {
      check(key, expected, row);
      changes.add(new Change(key, Optional.of(expected), Optional.empty()));
    }
  }

  /** What the row says now: as it was left by this transaction, or by the last one. */
  private RowState expected(RowKey key) {
    for (int i = changes.size() - 1; i >= 0; i--) {
      if (changes.get(i).key().equals(key)) {
        return changes.get(i).after().orElseThrow();
      }
    }
    return ledger.expected(key).orElseThrow();
  }

  /** Takes the row of {@code found}, if there is one, and compares its first column. */
  private static void check(RowKey key, RowState expected, ResultSet found) throws SQLException {
    if (!found.next()) {
      throw WrongRowException.lost(key);
    }
    if (!expected.digest().equals(found.getObject(1, UUID.class))) {
      throw WrongRowException.differing(key);
    }
  }

  private Inserted insert(DemoTable table, String columnsAndValues, String id) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                "INSERT INTO %s AS r %s RETURNING %s, %s"
                    .formatted(table.sqlName(), columnsAndValues, id, DIGEST))) {
      row.next();
      return new Inserted(row.getString(1), row.getObject(2, UUID.class));
    }
  }

  private void inserted(RowKey key, long tenant, UUID digest, long version) {
    RowState after = new RowState(tenant, digest, version);
    changes.add(new Change(key, Optional.empty(), Optional.of(after)));
  }

  private record Inserted(String id, UUID digest) {}
}

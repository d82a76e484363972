package dev.reshard.copy;

import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.ColumnType;
import dev.reshard.postgres.CopyReader;
import dev.reshard.postgres.CopyWriter;
import dev.reshard.postgres.CopyWriter.Batches;
import dev.reshard.postgres.OwnTransaction;
import dev.reshard.postgres.WorkerIdentity;
import dev.reshard.throttle.Turn;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.postgresql.PGConnection;

/**
 * Rows of one table that a destination has to get by their keys, because a change of them came
 * before they were copied and did not bring all their values. Stateless.
 */
record Refetch(
    WorkerIdentity worker, ShardId source, TableCopy table, Target target, Batches batches) {
  /** Rows that have values out of line, so that even large ones take no more than a second. */
  private static final int AT_ONCE = 200;

  private static final String TAKE =
      """
      DELETE FROM reshard.refetch WHERE ctid = ANY (ARRAY(
             SELECT ctid FROM reshard.refetch
              WHERE migration = ? AND source = ? AND table_schema = ? AND table_name = ? LIMIT %d))
      RETURNING key_columns, row_key"""
          .formatted(AT_ONCE);

  /**
   * Copies some of them, and forgets their keys. A row that is gone, or has left the buckets, is
   * not there to be copied.
   *
   * @param from a transaction that sees the anchor
   * @param turn is told each row
   * @return whether there are no more
   */
  boolean copySome(Connection from, Connection to, Turn turn) throws SQLException {
    try (OwnTransaction transaction =
        OwnTransaction.begin(to, worker, OwnTransaction.Durability.SYNCHRONOUS)) {
      new CopyLedger(worker.migration(), source).mark(to);
      boolean last = take(from, to, turn);
      transaction.commit();
      return last;
    }
  }

  private boolean take(Connection from, Connection to, Turn turn) throws SQLException {
    List<String> columns = List.of();
    List<String[]> keys = new ArrayList<>();
    try (PreparedStatement statement = to.prepareStatement(TAKE)) {
      TableId id = table.table().id();
      statement.setString(1, worker.migration());
      statement.setString(2, source.name());
      statement.setString(3, id.schema());
      statement.setString(4, id.name());
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          columns = List.of((String[]) row.getArray(1).getArray());
          keys.add((String[]) row.getArray(2).getArray());
        }
      }
    }
    if (keys.isEmpty()) {
      return true;
    }
    Staging staging = Staging.open(to, table.table());
    try (CopyWriter writer =
            CopyWriter.open(to, staging.id(), table.table().stored(), table.format(), batches);
        CopyReader rows =
            CopyReader.open(from, table.select(of(from, columns, keys), target), table.format())) {
      while (rows.next()) {
        rows.writeTo(writer);
        turn.moved(rows.length());
      }
      writer.finish();
    }
    staging.merge();
    return keys.size() < AT_ONCE;
  }

  /** A relation {@code t} of the table's rows with one of the keys. */
  private String of(Connection connection, List<String> columns, List<String[]> keys)
      throws SQLException {
    Map<String, ColumnType> types = ColumnType.of(connection, table.table().id());
    PGConnection postgres = connection.unwrap(PGConnection.class);
    List<String> values = new ArrayList<>();
    for (String[] key : keys) {
      List<String> literals = new ArrayList<>();
      for (String value : key) {
        literals.add("'" + postgres.escapeLiteral(value) + "'");
      }
      values.add("(" + String.join(", ", literals) + ")");
    }
    String places =
        IntStream.range(0, columns.size())
            .mapToObj(i -> "reshard_k" + i)
            .collect(Collectors.joining(", "));
    String same =
        IntStream.range(0, columns.size())
            .mapToObj(
                i ->
                    "t.%s %s %s"
                        .formatted(
                            TableId.quote(columns.get(i)),
                            types.get(columns.get(i)).equals(),
                            types.get(columns.get(i)).ofText("reshard_k" + i)))
            .collect(Collectors.joining(" AND "));
    return "%s t JOIN (VALUES %s) AS wanted(%s) ON %s"
        .formatted(table.table().id().quoted(), String.join(", ", values), places, same);
  }
}

package dev.reshard.probe;

import dev.reshard.keyspace.BucketSet;
import dev.reshard.keyspace.Partitioning;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Catalog;
import dev.reshard.postgres.Column;
import dev.reshard.postgres.Table;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;

/**
 * Picks rows of the moving buckets on one side: a few out of a few neighbouring pages of a random
 * table, so that it costs the same however big the table is (a TID range scan; PostgreSQL 14+).
 * Confined to one thread.
 */
final class RandomRows {
  /** Pages that are read for one pick: 256 KiB. */
  private static final int SPAN = 32;

  private static final int ROWS = 8;
  private static final int TRIES = 4;

  /** A row that was picked. */
  record Picked(ProbedTable table, List<String> key) {}

  private record File(ProbedTable table, Table.Leaf leaf) {}

  private final Connection connection;
  private final Partitioning partitioning;
  private final BucketSet buckets;
  private final Random random;
  private final List<List<File>> tables = new ArrayList<>();

  /** Reads where the tables' rows lie; what is attached later is seen by a new instance only. */
  RandomRows(
      ProbeSession session,
      List<ProbedTable> probed,
      Partitioning partitioning,
      BucketSet buckets,
      Random random)
      throws SQLException {
    this.connection = session.connection();
    this.partitioning = partitioning;
    this.buckets = buckets;
    this.random = random;
    for (ProbedTable table : probed) {
      List<Table.Leaf> leaves = Catalog.read(connection, table.id()).leaves();
      if (!leaves.isEmpty()) {
        tables.add(leaves.stream().map(leaf -> new File(table, leaf)).toList());
      }
    }
  }

  /** Some rows of one table; none if there were none where it looked. */
  List<Picked> pick() throws SQLException {
    for (int i = 0; i < TRIES && !tables.isEmpty(); i++) {
      List<Picked> picked = pick(tables.get(random.nextInt(tables.size())));
      if (!picked.isEmpty()) {
        return picked;
      }
    }
    return List.of();
  }

  private List<Picked> pick(List<File> files) throws SQLException {
    List<Long> pages = pages(files);
    long all = pages.stream().mapToLong(Long::longValue).sum();
    if (all == 0) {
      return List.of();
    }
    long page = random.nextLong(all);
    int file = 0;
    while (page >= pages.get(file)) {
      page -= pages.get(file++);
    }
    long from = Math.max(0, Math.min(page - SPAN / 2, pages.get(file) - SPAN));
    return pick(files.get(file), from);
  }

  /** The length of each file now, in pages. */
  private List<Long> pages(List<File> files) throws SQLException {
    String oids =
        files.stream().map(f -> Long.toString(f.leaf().oid())).collect(Collectors.joining(","));
    List<Long> pages = new ArrayList<>();
    try (Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                """
                SELECT coalesce(pg_relation_size(oid::regclass), 0)
                         / current_setting('block_size')::int8
                  FROM unnest('{%s}'::oid[]) WITH ORDINALITY AS f(oid, place) ORDER BY place"""
                    .formatted(oids))) {
      while (row.next()) {
        pages.add(row.getLong(1));
      }
    }
    return pages;
  }

  private List<Picked> pick(File file, long page) throws SQLException {
    TableId leaf = file.leaf().id();
    ProbedTable table = file.table();
    String keys =
        table.key().stream()
            .map(Column::quoted)
            .map(column -> column + "::text")
            .collect(Collectors.joining(", "));
    List<Picked> picked = new ArrayList<>();
    try (Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                """
                SELECT %s FROM ONLY %s WHERE ctid >= '(%d,0)'::tid AND ctid < '(%d,0)'::tid
                   AND %s ORDER BY random() LIMIT %d"""
                    .formatted(
                        keys,
                        leaf.quoted(),
                        page,
                        page + SPAN,
                        partitioning.sqlIn(TableId.quote(table.shardKey()), buckets),
                        ROWS))) {
      while (row.next()) {
        List<String> key = new ArrayList<>();
        for (int i = 1; i <= table.key().size(); i++) {
          key.add(row.getString(i));
        }
        picked.add(new Picked(table, key));
      }
    }
    return picked;
  }
}

package dev.reshard.preflight;

import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Table;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * How large a table is on one shard, with its partitions. Immutable.
 *
 * @param rows as the server estimates them; 0 if it never looked
 * @param pages of 8 KiB, without indexes and TOAST
 * @param bytes with indexes and TOAST
 */
public record TableSize(long rows, long pages, long bytes) {
  private static final String SIZES =
      """
      SELECT root.oid, sum(greatest(c.reltuples, 0))::int8, sum(pg_relation_size(c.oid) / 8192)::int8,
             sum(pg_total_relation_size(c.oid))::int8
        FROM pg_class root
        CROSS JOIN LATERAL (
          SELECT t.relid FROM pg_partition_tree(root.oid) t WHERE root.relkind = 'p' AND t.isleaf
          UNION ALL SELECT root.oid WHERE root.relkind = 'r') leaf
        JOIN pg_class c ON c.oid = leaf.relid
       WHERE root.oid = ANY (?) AND c.relkind = 'r'
       GROUP BY root.oid""";

  /** Of a table that was never analyzed. */
  private static final double ASSUMED_ROWS_IN_A_PAGE = 50;

  /** Enough to be from everywhere, few enough to be read in a moment. */
  private static final int SAMPLED_PAGES = 100;

  /** Estimates are rough: rather too many rows, up to the limit, than too few. */
  private static final double MORE = 1.3;

  static final TableSize NONE = new TableSize(0, 0, 0);

  /** The sizes of a shard's tables. */
  public static Map<TableId, TableSize> of(CheckSession session, Map<TableId, Table> tables)
      throws SQLException {
    Map<Long, TableId> ids = new HashMap<>();
    tables.forEach((id, table) -> ids.put(table.oid(), id));
    Map<TableId, TableSize> sizes = new TreeMap<>();
    session.query(
        SIZES,
        row ->
            sizes.put(
                ids.get(row.getLong(1)),
                new TableSize(row.getLong(2), row.getLong(3), row.getLong(4))),
        session.oids(ids.keySet()));
    return sizes;
  }

  /** How to read about {@code wanted} rows from all over the table. */
  public Sample sample(int wanted) {
    double density = rows > 0 && pages > 0 ? (double) rows / pages : ASSUMED_ROWS_IN_A_PAGE;
    boolean all = pages <= 2 * SAMPLED_PAGES;
    double read = density * (all ? pages : SAMPLED_PAGES);
    return new Sample(
        all ? "" : fraction(" TABLESAMPLE SYSTEM (%.9f)", 100.0 * SAMPLED_PAGES / pages),
        wanted < read ? fraction("random() < %.9f", MORE * wanted / read) : "true",
        wanted);
  }

  private static String fraction(String format, double number) {
    return String.format(Locale.ROOT, format, number);
  }

  /**
   * Parts of a query.
   *
   * @param clause stands behind the table's name; empty if all pages are read
   * @param condition {@code true} if all rows of these pages are taken
   */
  public record Sample(String clause, String condition, int limit) {
    /** Whether so many rows are all that the table has. */
    public boolean isAll(int found) {
      return clause.isEmpty() && condition.equals("true") && found < limit;
    }
  }
}

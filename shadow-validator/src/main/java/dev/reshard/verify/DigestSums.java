package dev.reshard.verify;

import dev.reshard.copy.Chunk;
import dev.reshard.copy.TableCopy;
import dev.reshard.copy.Target;
import dev.reshard.keyspace.ShardId;
import dev.reshard.postgres.Table;
import dev.reshard.throttle.Turn;
import java.math.BigDecimal;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * How many rows of one table are on each side, and the sums of their digests. Sums can be added up:
 * so each side is read in ranges of its own pages, whatever rows lie in them, and both come to
 * their end together. While nothing holds it back, a table is read in one go, which its server can
 * do by several processes. Confined to one thread; uses others while it runs.
 *
 * <p>Between two ranges no table is locked. Rows that a snapshot shows stay in their pages until
 * the table is rewritten or truncated; that shows in its file, which is looked at under each
 * range's lock, and so is what has its name.
 */
final class DigestSums {
  /** In place of a bucket's number: all of them together. */
  static final int WHOLE = -1;

  private static final String NO_TABLE = "42P01";

  /** Rows of one bucket: how many, and the sum of their digests. */
  record Sum(long rows, BigDecimal digests) {
    Sum plus(Sum other) {
      return new Sum(rows + other.rows, digests.add(other.digests));
    }
  }

  /** One side's session, and the table as its snapshot shows it. */
  private record Side(Connection connection, Table table) {}

  private final Side source;
  private final Side destination;
  private final TableCopy copy;
  private final Target target;
  private final String digest;
  private final Turns turns;
  private final long bytes;

  /**
   * Reads how large the source's files are.
   *
   * @param here the table as the source's snapshot shows it
   * @param there the same of the destination
   * @param digest of a row, as SQL
   */
  DigestSums(
      Connection source,
      Table here,
      Connection destination,
      Table there,
      TableCopy copy,
      Target target,
      String digest,
      Turns turns)
      throws SQLException {
    this.source = new Side(source, here);
    this.destination = new Side(destination, there);
    this.copy = copy;
    this.target = target;
    this.digest = digest;
    this.turns = turns;
    this.bytes = bytes(this.source);
  }

  /** How long the source's table is, in pages of 8 KiB. */
  long blocks() {
    return source.table().leaves().stream().mapToLong(Table.Leaf::blocks).sum();
  }

  /** What so many of the source's pages hold, with what is stored out of line. */
  long bytes(long blocks) {
    return (long) ((double) bytes / Math.max(1, blocks()) * blocks);
  }

  /** By {@link #WHOLE}, or by bucket. */
  BothSides<Map<Integer, Sum>> read(boolean byBucket) throws SQLException, InterruptedException {
    Optional<BothSides<Map<Integer, Sum>>> all =
        turns.isFree() ? inOneGo(byBucket) : Optional.empty();
    return all.isPresent() ? all.get() : inRanges(byBucket);
  }

  /** Empty if a limit came meanwhile. */
  private Optional<BothSides<Map<Integer, Sum>>> inOneGo(boolean byBucket)
      throws SQLException, InterruptedException {
    String query = query(copy.table().id().quoted(), "true", byBucket);
    try (Turn turn = turns.next(blocks())) {
      Optional<BothSides<Map<Integer, Sum>>> all =
          BothSides.read(
              source.connection(),
              destination.connection(),
              unchanged(source.table().leaves(), connection -> sums(connection, query)),
              unchanged(destination.table().leaves(), connection -> sums(connection, query)),
              turns::mustCut);
      all.ifPresent(sums -> turn.moved(rows(sums.source()), bytes(blocks())));
      return all;
    }
  }

  private BothSides<Map<Integer, Sum>> inRanges(boolean byBucket)
      throws SQLException, InterruptedException {
    List<Chunk> here = Chunk.cut(source.table(), Turns.RANGE_BLOCKS);
    List<Chunk> there = Chunk.cut(destination.table(), Turns.RANGE_BLOCKS);
    BothSides<Map<Integer, Sum>> all = new BothSides<>(new HashMap<>(), new HashMap<>());
    int steps = Math.max(here.size(), there.size());
    for (int step = 0; step < steps; step++) {
      Optional<Chunk> left = at(step, steps, here);
      Optional<Chunk> right = at(step, steps, there);
      long blocks = left.map(Chunk::blocks).orElse(0L);
      try (Turn turn = turns.next(blocks)) {
        BothSides<Map<Integer, Sum>> some =
            BothSides.read(
                    source.connection(),
                    destination.connection(),
                    range(left, byBucket),
                    range(right, byBucket),
                    () -> false)
                .orElseThrow();
        some.source().forEach((bucket, sum) -> all.source().merge(bucket, sum, Sum::plus));
        some.destination().forEach((b, sum) -> all.destination().merge(b, sum, Sum::plus));
        turn.moved(rows(some.source()), bytes(blocks));
      }
    }
    return all;
  }

  /** Spreads one side's ranges over the steps of the longer one. */
  private static Optional<Chunk> at(int step, int steps, List<Chunk> chunks) {
    int from = (int) ((long) step * chunks.size() / steps);
    int to = (int) ((step + 1L) * chunks.size() / steps);
    return from == to ? Optional.empty() : Optional.of(chunks.get(from));
  }

  private BothSides.Reader<Map<Integer, Sum>> range(Optional<Chunk> chunk, boolean byBucket) {
    if (chunk.isEmpty()) {
      return connection -> Map.of();
    }
    Table.Leaf leaf = chunk.get().leaf();
    String query = query("ONLY " + leaf.id().quoted(), chunk.get().where(), byBucket);
    return unchanged(List.of(leaf), connection -> sums(connection, query));
  }

  private String query(String from, String where, boolean byBucket) {
    return "SELECT %s, count(*), coalesce(sum(h), 0) FROM (SELECT %s AS b, %s AS h FROM %s WHERE %s AND %s) r%s"
        .formatted(
            byBucket ? "b" : WHOLE,
            copy.bucket(),
            digest,
            from,
            where,
            copy.whereMoving(target),
            byBucket ? " GROUP BY b" : "");
  }

  private static Map<Integer, Sum> sums(Connection connection, String query) throws SQLException {
    Map<Integer, Sum> sums = new HashMap<>();
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(query)) {
      while (row.next()) {
        sums.put(row.getInt(1), new Sum(row.getLong(2), row.getBigDecimal(3)));
      }
    }
    return sums;
  }

  static long rows(Map<Integer, Sum> sums) {
    return sums.values().stream().mapToLong(Sum::rows).sum();
  }

  private static long bytes(Side side) throws SQLException {
    try (PreparedStatement statement =
        side.connection()
            .prepareStatement(
                """
                SELECT coalesce(sum(pg_relation_size(c.oid) + CASE WHEN c.reltoastrelid = 0 THEN 0
                                    ELSE coalesce(pg_relation_size(c.reltoastrelid), 0) END), 0)::int8
                  FROM pg_class c WHERE c.oid = ANY (?)""")) {
      statement.setArray(1, oids(side.connection(), side.table().leaves()));
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return row.getLong(1);
      }
    }
  }

  private static Array oids(Connection connection, List<Table.Leaf> leaves) throws SQLException {
    return connection.createArrayOf("oid", leaves.stream().map(Table.Leaf::oid).toArray());
  }

  /**
   * Both sides' tables have still the files, and the names, that their snapshots show; asked under
   * their locks.
   */
  void requireUnchanged() throws SQLException {
    requireUnchanged(source.connection(), source.table().leaves());
    requireUnchanged(destination.connection(), destination.table().leaves());
  }

  private <T> BothSides.Reader<T> unchanged(List<Table.Leaf> leaves, BothSides.Reader<T> reader) {
    return connection -> {
      T read;
      try {
        read = reader.read(connection);
      } catch (SQLException e) {
        if (NO_TABLE.equals(e.getSQLState())) {
          throw changed(e);
        }
        throw e;
      }
      requireUnchanged(connection, leaves);
      return read;
    };
  }

  private void requireUnchanged(Connection connection, List<Table.Leaf> leaves)
      throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(
            """
            SELECT FROM unnest(?::oid[], ?::int8[], ?::text[]) was (leaf, file, name)
             WHERE pg_relation_filenode(leaf)::int8 IS DISTINCT FROM file OR to_regclass(name) IS DISTINCT FROM leaf""")) {
      statement.setArray(1, oids(connection, leaves));
      statement.setArray(
          2, connection.createArrayOf("int8", leaves.stream().map(Table.Leaf::fileNode).toArray()));
      statement.setArray(
          3,
          connection.createArrayOf(
              "text", leaves.stream().map(leaf -> leaf.id().quoted()).toArray()));
      try (ResultSet row = statement.executeQuery()) {
        if (row.next()) {
          throw changed(null);
        }
      }
    }
  }

  private ComparisonException changed(SQLException cause) {
    ShardId shard = target.destination();
    return new ComparisonException(
        ("Table %s was truncated, rewritten, renamed or dropped, on its source or on %s, while it was compared;"
                + " nothing is said about its rows. Verify again.")
            .formatted(copy.table().id(), shard),
        cause);
  }
}

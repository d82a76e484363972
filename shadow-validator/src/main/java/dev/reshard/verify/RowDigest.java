package dev.reshard.verify;

import dev.reshard.postgres.Column;
import dev.reshard.postgres.Table;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A row's digest as SQL: 64 bits of all bytes of all its columns. Immutable.
 *
 * <p>The bytes are those that PostgreSQL's own binary output gives ({@code record_send}), so that
 * 1.0 and 1.00, 0 and -0, a month and 30 days, or two words that a collation calls equal differ.
 * Types whose binary form holds numbers of catalog rows, which differ between databases, are taken
 * as text: whatever is not built in (enums and arrays of them, composites, domains, extensions),
 * and references to objects. Digests are added up per bucket. They are made of the row as a whole:
 * a sum of separate column hashes, as {@code hash_record} makes them, would not change when two
 * rows exchange one column's values.
 */
final class RowDigest {
  /** The hash is the same on both servers only if they run the same code; md5 always is. */
  enum Algorithm {
    HASH,
    MD5;

    static Algorithm of(Connection source, Connection destination) throws SQLException {
      return source.getMetaData().getDatabaseMajorVersion()
              == destination.getMetaData().getDatabaseMajorVersion()
          ? HASH
          : MD5;
    }
  }

  /**
   * Types with the same number in every database of every major, those that are assigned by hand
   * (PostgreSQL, transam.h: below FirstGenbkiObjectId), and a binary output.
   */
  private static final String BINARY_COLUMNS =
      """
      SELECT a.attname FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
       WHERE a.attrelid = ? AND a.attnum > 0 AND NOT a.attisdropped
         AND t.oid < 10000 AND t.typsend <> 0 AND t.typname !~ '^_?(reg|oid|(xml|aclitem)$)'""";

  private static final Map<String, String> SEEDS =
      Map.of(
          "text", "hashtextextended(%s COLLATE \"C\", %s)",
          "character varying", "hashtextextended(%s::text COLLATE \"C\", %s)",
          "uuid", "uuid_hash_extended(%s, %s)");

  private final List<Column> columns;
  private final Set<String> binary;

  private RowDigest(List<Column> columns, Set<String> binary) {
    this.columns = columns;
    this.binary = binary;
  }

  /** Of the columns that are stored, in the order of {@code table}, on whatever side. */
  static RowDigest of(Connection connection, Table table) throws SQLException {
    Set<String> binary = new HashSet<>();
    try (PreparedStatement statement = connection.prepareStatement(BINARY_COLUMNS)) {
      statement.setLong(1, table.oid());
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          binary.add(row.getString(1));
        }
      }
    }
    return new RowDigest(table.stored(), binary);
  }

  /** An expression of type {@code int8}. */
  String sql(Algorithm algorithm) {
    return switch (algorithm) {
      case HASH -> hash();
      case MD5 ->
          "('x' || left(md5(record_send(ROW(%s))), 16))::bit(64)::int8".formatted(list(columns));
    };
  }

  /** A seed that is NULL is so on the side only that lets it be: that row differs, then. */
  private String hash() {
    String seed = "0";
    List<Column> others = new ArrayList<>();
    for (Column column : columns) {
      String type =
          column.type().replaceFirst("^character varying\\(\\d+\\)$", "character varying");
      if (column.notNull() && SEEDS.containsKey(type)) {
        seed = SEEDS.get(type).formatted(column.quoted(), seed);
      } else {
        others.add(column);
      }
    }
    return "coalesce(hash_record_extended(ROW(record_send(ROW(%s))), %s), 0)"
        .formatted(list(others), seed);
  }

  private String list(List<Column> some) {
    return some.stream()
        .map(c -> binary.contains(c.name()) ? c.quoted() : c.quoted() + "::text")
        .collect(Collectors.joining(", "));
  }
}

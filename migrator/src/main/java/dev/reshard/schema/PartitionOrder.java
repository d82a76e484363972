package dev.reshard.schema;

import dev.reshard.schema.PartitionBound.Kind;
import dev.reshard.schema.PartitionBound.Text;
import dev.reshard.schema.PartitionBound.Value;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * In which order the values come that bounds of partitions name: only their server can say, by the
 * type and the collation of the table's key. Immutable.
 */
final class PartitionOrder {
  /**
   * An operator class of one's own may have another order, and of an expression no type is said.
   */
  private static final String KEY =
      """
      SELECT CASE WHEN o.opcdefault AND k.attnum > 0 THEN format_type(a.atttypid, -1) END,
             (SELECT format(' COLLATE %I.%I', n.nspname, c.collname)
                FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace WHERE c.oid = k.coll)
        FROM pg_partitioned_table p
        CROSS JOIN LATERAL unnest(p.partattrs::int2[], p.partclass::oid[], p.partcollation::oid[])
          WITH ORDINALITY AS k(attnum, class, coll, place)
        JOIN pg_opclass o ON o.oid = k.class
        LEFT JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = k.attnum
       WHERE p.partrelid = to_regclass(?) ORDER BY k.place""";

  private static final String RANKS =
      "SELECT v, dense_rank() OVER (ORDER BY v::%s) FROM unnest(?) v";

  private static final int NULL_RANK = 0;

  /** By the table's name, for each place of its key a rank for each value; none by hash. */
  private final Map<String, List<Map<String, Integer>>> ranks;

  private PartitionOrder(Map<String, List<Map<String, Integer>>> ranks) {
    this.ranks = ranks;
  }

  /**
   * Asks the server of a destination.
   *
   * @param partitions of the tables in question, of both shards
   */
  static PartitionOrder read(Connection connection, Collection<SchemaObject> partitions)
      throws SQLException {
    Map<String, List<Text>> byTable = new HashMap<>();
    for (SchemaObject partition : partitions) {
      Text.of(partition.bound())
          .ifPresent(
              bound ->
                  byTable
                      .computeIfAbsent(partition.parent().orElseThrow(), t -> new ArrayList<>())
                      .add(bound));
    }
    Map<String, List<Map<String, Integer>>> ranks = new HashMap<>();
    for (Map.Entry<String, List<Text>> table : byTable.entrySet()) {
      ranks(connection, table.getKey(), table.getValue())
          .ifPresent(known -> ranks.put(table.getKey(), known));
    }
    return new PartitionOrder(ranks);
  }

  private static Optional<List<Map<String, Integer>>> ranks(
      Connection connection, String table, List<Text> bounds) throws SQLException {
    Set<Kind> kinds = bounds.stream().map(Text::kind).collect(Collectors.toSet());
    kinds.remove(Kind.DEFAULT);
    if (kinds.equals(Set.of(Kind.HASH))) {
      return Optional.of(List.of());
    }
    List<String> casts = casts(connection, table);
    boolean fit =
        bounds.stream()
            .allMatch(bound -> bound.kind() != Kind.RANGE || bound.from().size() == casts.size());
    if (kinds.size() > 1 || !fit || casts.contains(null)) {
      return Optional.empty();
    }
    List<Map<String, Integer>> ranks = new ArrayList<>();
    for (int place = 0; place < casts.size(); place++) {
      Set<String> values = new TreeSet<>();
      for (Text bound : bounds) {
        values.addAll(bound.valuesAt(place));
      }
      try {
        ranks.add(ranks(connection, casts.get(place), values));
      } catch (SQLException e) {
        if (!String.valueOf(e.getSQLState()).startsWith("22")) {
          throw e;
        }
        return Optional.empty(); // a value that the type does not have there: it differs anyway
      }
    }
    return Optional.of(ranks);
  }

  /** The type and the collation at each place of a table's key; null where they are not known. */
  private static List<String> casts(Connection connection, String table) throws SQLException {
    List<String> casts = new ArrayList<>();
    try (PreparedStatement statement = connection.prepareStatement(KEY)) {
      statement.setString(1, table);
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          String type = row.getString(1);
          String collation = row.getString(2) == null ? "" : row.getString(2);
          casts.add(type == null ? null : type + collation);
        }
      }
    }
    return casts;
  }

  private static Map<String, Integer> ranks(
      Connection connection, String cast, Collection<String> values) throws SQLException {
    Map<String, Integer> ranks = new HashMap<>();
    try (PreparedStatement statement = connection.prepareStatement(RANKS.formatted(cast))) {
      statement.setArray(1, connection.createArrayOf("text", values.toArray()));
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          ranks.put(row.getString(1), row.getInt(2));
        }
      }
    }
    return ranks;
  }

  /** Which rows a partition takes; empty if it is not known. */
  Optional<PartitionBound> bound(SchemaObject partition) {
    Optional<Text> text = Text.of(partition.bound());
    List<Map<String, Integer>> known = ranks.get(partition.parent().orElse(""));
    if (text.isEmpty() || known == null) {
      return Optional.empty();
    }
    Text bound = text.get();
    return Optional.of(
        switch (bound.kind()) {
          case DEFAULT -> new PartitionBound(Kind.DEFAULT, List.of(), List.of());
          case HASH ->
              new PartitionBound(
                  Kind.HASH,
                  bound.from().stream().map(value -> Integer.valueOf(value.text())).toList(),
                  List.of());
          case LIST ->
              new PartitionBound(
                  Kind.LIST,
                  bound.from().stream().map(value -> rank(known.get(0), value)).toList(),
                  List.of());
          case RANGE ->
              new PartitionBound(Kind.RANGE, tuple(known, bound.from()), tuple(known, bound.to()));
        });
  }

  /** What stands behind MINVALUE or MAXVALUE does not count. */
  private static List<Integer> tuple(List<Map<String, Integer>> ranks, List<Value> values) {
    List<Integer> tuple = new ArrayList<>();
    for (int place = 0; place < values.size(); place++) {
      if (values.get(place).word()) {
        tuple.addAll(Collections.nCopies(values.size() - place, rank(Map.of(), values.get(place))));
        break;
      }
      tuple.add(rank(ranks.get(place), values.get(place)));
    }
    return tuple;
  }

  private static int rank(Map<String, Integer> ranks, Value value) {
    if (!value.word()) {
      return ranks.get(value.text());
    }
    return switch (value.text()) {
      case "MINVALUE" -> Integer.MIN_VALUE;
      case "MAXVALUE" -> Integer.MAX_VALUE;
      default -> NULL_RANK; // ranks begin with 1
    };
  }
}

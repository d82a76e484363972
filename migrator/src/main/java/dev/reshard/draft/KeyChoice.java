package dev.reshard.draft;

import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Column;
import dev.reshard.postgres.Table;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** Which column most tables share, of those that could be a shard key. Stateless. */
final class KeyChoice {
  private static final Set<String> TYPES = Set.of("smallint", "integer", "bigint", "uuid", "text");

  private KeyChoice() {}

  /**
   * A column and the tables that have it.
   *
   * @param tables that have it, not as their only key: there it names their rows
   */
  record Candidate(String column, Set<TableId> tables) {
    @Override
    public String toString() {
      return "%s (%d table%s)".formatted(column, tables.size(), tables.size() == 1 ? "" : "s");
    }
  }

  /** The best one first. */
  static List<Candidate> of(Collection<Table> tables) {
    Map<String, Set<TableId>> having = new TreeMap<>();
    for (Table table : tables) {
      for (Column column : table.columns()) {
        boolean namesRows = table.primaryKey().equals(List.of(column.name()));
        boolean fits = TYPES.contains(column.type()) || column.type().startsWith("character");
        if (fits && column.notNull() && !namesRows) {
          having.computeIfAbsent(column.name(), name -> new TreeSet<>()).add(table.id());
        }
      }
    }
    return having.entrySet().stream()
        .map(entry -> new Candidate(entry.getKey(), entry.getValue()))
        .sorted(
            Comparator.comparing((Candidate c) -> -c.tables.size())
                .thenComparing(c -> !c.column.endsWith("_id"))
                .thenComparing(Candidate::column))
        .collect(Collectors.toList());
  }
}

package dev.reshard.preflight;

import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Findings as lines for people: what was found of many tables, or on many shards, is one line.
 * Stateless.
 */
final class FindingLines {
  /** How many tables a line names; the rest is a number. */
  private static final int TABLES = 3;

  /** Past so many different sets of shards, a line for each would say less than one for all. */
  private static final int SHARD_SETS = 3;

  private FindingLines() {}

  /** Where something was found: a table, a detail of it, of a shard, or neither. */
  private record Place(String table, String detail) {}

  private record Kind(Finding.Severity severity, String what, String todo) {}

  /** In the order of the findings. */
  static List<String> of(List<Finding> findings) {
    Map<Kind, Map<Place, Set<ShardId>>> kinds = new LinkedHashMap<>();
    for (Finding finding : findings) {
      kinds
          .computeIfAbsent(
              new Kind(finding.severity(), finding.what(), finding.todo()),
              kind -> new LinkedHashMap<>())
          .computeIfAbsent(
              new Place(finding.table().map(TableId::toString).orElse(""), finding.detail()),
              place -> new TreeSet<>())
          .addAll(finding.shard().stream().toList());
    }
    List<String> lines = new ArrayList<>();
    kinds.forEach((kind, places) -> lines.addAll(lines(kind, places)));
    return lines;
  }

  private static List<String> lines(Kind kind, Map<Place, Set<ShardId>> places) {
    Map<Set<ShardId>, Set<Place>> byShards = new LinkedHashMap<>();
    places.forEach(
        (place, shards) ->
            byShards.computeIfAbsent(shards, set -> new LinkedHashSet<>()).add(place));
    if (byShards.size() <= SHARD_SETS) {
      return byShards.entrySet().stream()
          .map(e -> line(kind, names(e.getKey()), e.getValue()))
          .toList();
    }
    Set<ShardId> all = new TreeSet<>();
    byShards.keySet().forEach(all::addAll);
    return List.of(line(kind, "some of " + names(all), places.keySet()));
  }

  private static String names(Set<ShardId> shards) {
    return shards.stream().map(ShardId::name).collect(Collectors.joining(", "));
  }

  private static String line(Kind kind, String shards, Set<Place> places) {
    StringBuilder line = new StringBuilder();
    if (!shards.isEmpty()) {
      line.append(shards);
    }
    String tables = tables(places);
    if (!tables.isEmpty()) {
      boolean address = tables.startsWith("(");
      line.append(line.isEmpty() ? "" : address ? " " : ": ").append(tables);
    }
    line.append(line.isEmpty() ? "" : ": ");
    line.append(kind.todo.isEmpty() ? kind.what : Clause.of(kind.what));
    if (!kind.todo.isEmpty()) {
      line.append("; ").append(kind.todo);
    }
    return line.toString();
  }

  /** {@code public.t1 (t1_pkey), t2, other.t3 and 41 more}: a schema is named when it changes. */
  private static String tables(Set<Place> places) {
    Map<String, List<String>> details = new LinkedHashMap<>();
    for (Place place : places) {
      List<String> own = details.computeIfAbsent(place.table, table -> new ArrayList<>());
      if (!place.detail.isEmpty()) {
        own.add(place.detail);
      }
    }
    StringBuilder names = new StringBuilder();
    String schema = "";
    int named = 0;
    for (Map.Entry<String, List<String>> table : details.entrySet()) {
      if (named++ == TABLES) {
        return names.append(" and %d more".formatted(details.size() - TABLES)).toString();
      }
      String name = table.getKey();
      String before = name.substring(0, name.indexOf('.') + 1);
      names.append(names.isEmpty() ? "" : ", ");
      names.append(before.equals(schema) ? name.substring(before.length()) : name);
      schema = before;
      names.append(detail(name, table.getValue()));
    }
    return names.toString();
  }

  private static String detail(String table, List<String> details) {
    if (details.isEmpty()) {
      return "";
    }
    String shown = details.stream().limit(TABLES).collect(Collectors.joining(", "));
    String more = details.size() > TABLES ? " and %d more".formatted(details.size() - TABLES) : "";
    return table.isEmpty() ? shown + more : " (" + shown + more + ")";
  }
}

package dev.reshard.preflight;

import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Column;
import dev.reshard.postgres.Table;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Whether every shard has the keyspace's tables or will be given them, and the same columns in
 * them. Immutable.
 */
final class SameTables implements Check {
  private final Subject subject;

  SameTables(Subject subject) {
    this.subject = subject;
  }

  @Override
  public String name() {
    return "tables everywhere";
  }

  @Override
  public List<Finding> look() {
    List<Finding> findings = new ArrayList<>();
    for (TableId id : subject.tableIds()) {
      Map<ShardId, Table> there = new TreeMap<>();
      for (ShardId shard : shards()) {
        if (!subject.tables().containsKey(shard)) {
          continue; // could not be asked, which is a finding already
        }
        Optional<Table> table = subject.table(shard, id);
        if (table.isPresent()) {
          there.put(shard, table.get());
        } else {
          findings.add(missing(shard, id).at(shard).on(id));
        }
      }
      differing(there)
          .ifPresent(
              columns ->
                  findings.add(
                      Finding.blocker("differs between shards in columns, types or NOT NULL")
                          .on(id)
                          .detail(columns)
                          .todo(
                              "make them the same, or name the columns under keyspace.tables.ignored_columns")));
    }
    return findings;
  }

  /** Also the control shard, as it says which tables there are. */
  private Set<ShardId> shards() {
    Set<ShardId> shards = new TreeSet<>(subject.shards());
    shards.add(subject.spec().control());
    return shards;
  }

  /** A destination is given what it lacks; but a reference table's rows only if it is new. */
  private Finding missing(ShardId shard, TableId id) {
    boolean given =
        subject.moves().destinations().contains(shard)
            && !subject.moves().sources().contains(shard);
    if (!given) {
      return Finding.blocker("there is no such table").todo("roll out your schema there first");
    }
    if (subject.serving().contains(shard) && subject.keyspace().reference().contains(id)) {
      return Finding.blocker("there is no such reference table, though the shard serves already")
          .todo("make it there, with its rows");
    }
    return Finding.note("there is no such table").todo("it will be made there");
  }

  /** The names of columns that are not the same everywhere. */
  private static Optional<String> differing(Map<ShardId, Table> tables) {
    Set<Set<Column>> shapes =
        tables.values().stream()
            .map(table -> Set.copyOf(table.columns()))
            .collect(Collectors.toSet());
    if (shapes.size() < 2) {
      return Optional.empty();
    }
    Set<String> names = new TreeSet<>();
    for (Set<Column> one : shapes) {
      for (Set<Column> other : shapes) {
        one.stream()
            .filter(column -> !other.contains(column))
            .forEach(column -> names.add(column.name()));
      }
    }
    return Optional.of(String.join(", ", names));
  }
}

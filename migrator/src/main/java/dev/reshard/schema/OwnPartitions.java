package dev.reshard.schema;

import dev.reshard.schema.PartitionBound.Kind;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * What becomes of the source's partitions of tables that were at the destination before us with
 * other ones. Rows go through the table, into whatever takes them there: a partition is made where
 * nothing there takes any of its rows, not needed where all of them find another one, and a
 * difference that blocks where only some do. Immutable.
 *
 * @param notMade identities of partitions, and of theirs, that are not made
 */
record OwnPartitions(Set<String> notMade, List<Difference> differences, List<String> notes) {
  OwnPartitions {
    notMade = Set.copyOf(notMade);
    differences = List.copyOf(differences);
    notes = List.copyOf(notes);
  }

  /** The partitions, on either shard, of tables that a destination has with other ones. */
  static List<SchemaObject> concerned(Schema source, Schema destination) {
    Set<String> tables = tables(source, destination).keySet();
    return Stream.of(source, destination)
        .flatMap(schema -> schema.objects().values().stream())
        .filter(object -> object.parent().filter(tables::contains).isPresent())
        .toList();
  }

  /** Of each table, by its name, what the destination has of partitions; not of all tables. */
  private static Map<String, List<SchemaObject>> tables(Schema source, Schema destination) {
    Map<String, List<SchemaObject>> byTable = new TreeMap<>();
    Set<String> own = new TreeSet<>();
    for (SchemaObject there : destination.objects().values()) {
      there
          .parent()
          .filter(table -> source.has(SchemaObject.identity(ObjectKind.TABLE, table)))
          .ifPresent(
              table -> {
                byTable.computeIfAbsent(table, t -> new ArrayList<>()).add(there);
                if (!isSame(source, there)) {
                  own.add(table);
                }
              });
    }
    byTable.keySet().retainAll(own);
    return byTable;
  }

  private static boolean isSame(Schema schema, SchemaObject partition) {
    SchemaObject other = schema.objects().get(partition.identity());
    return other != null
        && Objects.equals(
            other.facets().get(SchemaObject.PARTITION_OF),
            partition.facets().get(SchemaObject.PARTITION_OF));
  }

  /**
   * Compares.
   *
   * @param isTheirs whether the destination had a table before us, by its identity
   */
  static OwnPartitions of(
      Schema source, Schema destination, Predicate<String> isTheirs, PartitionOrder order) {
    Map<String, List<SchemaObject>> tables = tables(source, destination);
    tables.keySet().removeIf(t -> !isTheirs.test(SchemaObject.identity(ObjectKind.TABLE, t)));
    Map<String, List<SchemaObject>> missing = new HashMap<>();
    for (SchemaObject here : source.objects().values()) {
      here.parent()
          .filter(table -> tables.containsKey(table) && !isSame(destination, here))
          .ifPresent(table -> missing.computeIfAbsent(table, t -> new ArrayList<>()).add(here));
    }
    Set<String> kept = new TreeSet<>();
    List<Difference> differences = new ArrayList<>();
    List<String> notes = new ArrayList<>();
    for (Map.Entry<String, List<SchemaObject>> table : tables.entrySet()) {
      Fit fit = new Fit(table.getValue(), missing.getOrDefault(table.getKey(), List.of()), order);
      Set<String> needless = new TreeSet<>();
      for (SchemaObject partition : fit.missing) {
        if (fit.isNeedless(partition)) {
          needless.add(partition.name());
          kept.add(partition.identity());
        } else if (!destination.has(partition.identity())) {
          Optional<SchemaObject> inTheWay = fit.inTheWay(partition);
          inTheWay.ifPresent(
              there -> {
                kept.add(partition.identity());
                differences.add(overlap(source, destination, partition, there));
              });
        } // else the name is taken, which is a difference of its own
      }
      if (needless.isEmpty()) {
        continue;
      }
      notes.add(
          needless.size() == fit.missing.size()
              ? "%s: TABLE %s is there with partitions of its own, so that those of %s are not made; see that each row finds one"
                  .formatted(destination.shard(), table.getKey(), source.shard())
              : "%s: TABLE %s is there with partitions of its own, which take the rows of some of %s, so that these are not made: %s"
                  .formatted(
                      destination.shard(),
                      table.getKey(),
                      source.shard(),
                      SchemaPlan.few(needless)));
    }
    return new OwnPartitions(withTheirs(source, kept), differences, notes);
  }

  private static Set<String> withTheirs(Schema source, Set<String> kept) {
    Set<String> all = new TreeSet<>(kept);
    for (SchemaObject here : source.objects().values()) {
      if (source.parentsOf(here).stream().anyMatch(parent -> kept.contains(parent.identity()))) {
        all.add(here.identity());
      }
    }
    return all;
  }

  private static Difference overlap(
      Schema source, Schema destination, SchemaObject partition, SchemaObject there) {
    return new Difference(
        true,
        "%s: partition %s of %s cannot be made, as %s has %s %s, and %s there has %s: some of its rows would find no partition; make partitions there that take the rest, or DETACH that one"
            .formatted(
                destination.shard(),
                partition.name(),
                partition.parent().orElseThrow(),
                source.shard(),
                partition.name(),
                partition.bound(),
                there.name(),
                there.bound()));
  }

  /** One table's partitions. */
  private static final class Fit {
    private final List<SchemaObject> there;
    private final List<SchemaObject> missing;
    private final PartitionOrder order;
    private final List<PartitionBound> bounds = new ArrayList<>();

    /** Whether it is known which rows each of them takes: then there is a bound for each. */
    private final boolean known;

    /** Whether there is one in the end that takes what no other does. */
    private final boolean takesAll;

    Fit(List<SchemaObject> there, List<SchemaObject> missing, PartitionOrder order) {
      this.there = there;
      this.missing = missing;
      this.order = order;
      there.forEach(partition -> order.bound(partition).ifPresent(bounds::add));
      List<PartitionBound> wanted =
          missing.stream().flatMap(partition -> order.bound(partition).stream()).toList();
      this.known = bounds.size() == there.size() && wanted.size() == missing.size();
      this.takesAll =
          Stream.concat(bounds.stream(), wanted.stream())
              .anyMatch(bound -> bound.kind() == Kind.DEFAULT);
    }

    /** Whether its rows find others; where nobody can tell, they are left to the operator. */
    boolean isNeedless(SchemaObject partition) {
      if (!known) {
        return true;
      }
      PartitionBound bound = order.bound(partition).orElseThrow();
      return bound.isCoveredBy(bounds) || (takesAll && bounds.stream().anyMatch(bound::overlaps));
    }

    Optional<SchemaObject> inTheWay(SchemaObject partition) {
      PartitionBound bound = order.bound(partition).orElseThrow();
      for (int i = 0; i < there.size(); i++) {
        if (bounds.get(i).overlaps(bound)) {
          return Optional.of(there.get(i));
        }
      }
      return Optional.empty();
    }
  }
}

package dev.reshard.migration;

import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Column;
import dev.reshard.postgres.Table;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * What a table is made of, part by part, as far as a change of it changes rows without a message,
 * or what messages say (HAZARDS F4-F6): columns, files, partitions, replica identity. Stateless.
 */
final class TableShape {
  /** Kinds of changes, as an operator has to act on them. */
  enum Kind {
    /** Added, dropped or renamed. */
    COLUMN_SET,
    /** Of another type, for example. */
    COLUMNS,
    /** By another one of the same name and type. */
    REPLACED,
    IDENTITY,
    REWRITTEN,
    UNLOGGED,
    STRANGER,
    ATTACHED,
    ATTACHED_AGAIN,
    DETACHED,
    GONE;

    boolean isOfColumns() {
      return this == COLUMN_SET || this == COLUMNS;
    }
  }

  /** One change, for people. */
  record Change(Kind kind, String text) {}

  /** What an operator does where shards have other columns. */
  static final String WAYS_ON =
      "run the same DDL on the other shards, or, if the column may stay behind, name it under keyspace.tables.ignored_columns in the file and start the worker anew";

  private static final String COLUMN = "column ";
  private static final String PARTITION = "partition ";
  private static final String FILE = "file";
  private static final String VERSION = "columns' version";
  private static final String SHAPE = "columns of ";
  private static final String UNLOGGED = "unlogged";
  private static final String STRANGER = "stranger";
  private static final String IDENTITY = "replica identity";

  private TableShape() {}

  /** A part's name, and what it is. */
  static SortedMap<String, String> of(Table table) {
    SortedMap<String, String> parts = new TreeMap<>();
    table.columns().forEach(column -> parts.put(COLUMN + column.quoted(), describe(column)));
    for (Table.Leaf leaf : table.leaves()) {
      String name = leaf.oid() == table.oid() ? FILE : PARTITION + leaf.id();
      parts.put(name, "%d %d".formatted(leaf.fileNode(), leaf.attached()));
      if (leaf.oid() == table.oid()) {
        parts.put(VERSION, Long.toString(leaf.columnsVersion()));
      }
      parts.put(SHAPE + name, Long.toString(leaf.columnsShape()));
      if (!leaf.logged()) {
        parts.put(UNLOGGED + " " + name, leaf.id().toString());
      }
    }
    for (TableId stranger : table.strangers()) {
      parts.put(STRANGER + " " + stranger, stranger.toString());
    }
    Table.ReplicaIdentity identity = table.identity();
    parts.put(IDENTITY, identity.setting() + (identity.full() ? "" : " " + identity.columns()));
    return parts;
  }

  /** The columns that rows are copied into, each with its type; none of no table. */
  static SortedMap<String, String> filled(Table table) {
    SortedMap<String, String> columns = new TreeMap<>();
    if (table != null) {
      table.stored().forEach(column -> columns.put(COLUMN + column.quoted(), column.type()));
    }
    return columns;
  }

  /** A table's shape as it would be if its rows had the columns, and types, of another's. */
  static SortedMap<String, String> asIn(Table other, Table table) {
    SortedMap<String, String> shape = of(table);
    SortedMap<String, String> there = filled(other);
    SortedMap<String, String> here = filled(table);
    shape.keySet().removeIf(part -> here.containsKey(part) && !there.containsKey(part));
    there.forEach(
        (part, type) -> {
          if (!type.equals(here.get(part))) {
            shape.put(part, type);
          }
        });
    return shape;
  }

  /** All columns, each with what it is; none of no table. */
  static SortedMap<String, String> columns(Table table) {
    SortedMap<String, String> columns = table == null ? new TreeMap<>() : of(table);
    columns.keySet().removeIf(part -> !part.startsWith(COLUMN));
    return columns;
  }

  /**
   * All that changed rows without a message, or what messages say; nothing if nothing did. A plain
   * table whose file is another one, and whose columns' rows in the catalog are the same, was
   * written anew as it was (VACUUM FULL, CLUSTER, SET TABLESPACE), or was truncated, which a
   * message tells. An ALTER that gives rows other values writes the catalog's row of a column. Of a
   * partition nothing is told when it is truncated by its own name.
   */
  static List<Change> changes(SortedMap<String, String> before, SortedMap<String, String> now) {
    List<Change> changes = new ArrayList<>();
    if (now.isEmpty()) {
      return List.of(new Change(Kind.GONE, "it was dropped or renamed"));
    }
    boolean sameColumns = isSame(VERSION, before, now);
    for (String part : before.keySet()) {
      // of others: a right or the statistics of a column, or logged again, which makes a new file
      boolean tells =
          !part.equals(VERSION)
              && !part.startsWith(SHAPE)
              && !part.startsWith(UNLOGGED)
              && !part.startsWith(STRANGER)
              && !(part.equals(FILE) && sameColumns && now.containsKey(FILE));
      if (tells && !now.containsKey(part)) {
        changes.add(removed(part, before.get(part)));
      } else if (tells && !isSame(part, before, now)) {
        changes.add(changed(part, before.get(part), now.get(part)));
      }
    }
    for (String part : now.keySet()) {
      boolean isNew = !before.containsKey(part) && !part.equals(VERSION) && !part.startsWith(SHAPE);
      if (isNew || part.startsWith(UNLOGGED) || part.startsWith(STRANGER)) {
        changes.add(added(part, now.get(part)));
      }
    }
    if (changes.isEmpty() && isOfOtherColumns(before, now)) {
      changes.add(new Change(Kind.REPLACED, "a column was dropped and added again, or renamed"));
    }
    return changes;
  }

  /** Their names and types may be the same. */
  private static boolean isOfOtherColumns(
      SortedMap<String, String> before, SortedMap<String, String> now) {
    return before.keySet().stream()
        .anyMatch(
            part -> part.startsWith(SHAPE) && now.containsKey(part) && !isSame(part, before, now));
  }

  private static boolean isSame(
      String part, SortedMap<String, String> before, SortedMap<String, String> now) {
    return before.containsKey(part) && before.get(part).equals(now.get(part));
  }

  /** Partitions, or the table itself, of whose rows the stream tells nothing. */
  static List<TableId> unlogged(Table table) {
    return table.leaves().stream().filter(leaf -> !leaf.logged()).map(Table.Leaf::id).toList();
  }

  /** Partitions that nobody knew before. */
  static List<Table.Leaf> newPartitions(SortedMap<String, String> before, Table table) {
    return table.leaves().stream()
        .filter(leaf -> leaf.oid() != table.oid() && !before.containsKey(PARTITION + leaf.id()))
        .toList();
  }

  /** The same without a partition. */
  static SortedMap<String, String> without(SortedMap<String, String> shape, Table.Leaf partition) {
    SortedMap<String, String> rest = new TreeMap<>(shape);
    rest.remove(PARTITION + partition.id());
    rest.remove(SHAPE + PARTITION + partition.id());
    return rest;
  }

  private static Change removed(String part, String was) {
    return part.startsWith(COLUMN)
        ? new Change(Kind.COLUMN_SET, "%s (%s) was dropped or renamed".formatted(part, was))
        : new Change(Kind.DETACHED, part + " was detached or dropped");
  }

  private static Change added(String part, String is) {
    if (part.startsWith(UNLOGGED)) {
      return new Change(Kind.UNLOGGED, is + " was set UNLOGGED, the stream has no change of it");
    }
    if (part.startsWith(STRANGER)) {
      return new Change(
          Kind.STRANGER, is + " became its child by INHERITS, or a foreign table as partition");
    }
    return part.startsWith(COLUMN)
        ? new Change(Kind.COLUMN_SET, "%s (%s) was added".formatted(part, is))
        : new Change(Kind.ATTACHED, part + " was attached with rows");
  }

  private static Change changed(String part, String was, String is) {
    if (part.startsWith(COLUMN) || part.equals(IDENTITY)) {
      return new Change(
          part.equals(IDENTITY) ? Kind.IDENTITY : Kind.COLUMNS,
          "%s was changed from %s to %s".formatted(part, was, is));
    }
    if (file(was).equals(file(is))) {
      return new Change(Kind.ATTACHED_AGAIN, part + " was detached, and attached again");
    }
    return new Change(
        Kind.REWRITTEN, (part.equals(FILE) ? "it" : part) + " was rewritten or truncated");
  }

  private static String file(String leaf) {
    return leaf.substring(0, leaf.indexOf(' '));
  }

  private static String describe(Column column) {
    return column.type()
        + (column.notNull() ? " NOT NULL" : "")
        + (column.generated() ? " GENERATED" : "")
        + (column.identityAlways() ? " GENERATED ALWAYS AS IDENTITY" : "");
  }

  /** What an operator does about a change. */
  private static String remedy(Kind kind, TableId table) {
    return switch (kind) {
      case COLUMN_SET -> WAYS_ON;
      case REPLACED ->
          "as all rows have other values in it without a message, run the same DDL on the other shards or bring the values over by hand, verify afterwards";
      case COLUMNS, GONE -> "run the same DDL on the other shards";
      case IDENTITY -> "set it back with ALTER TABLE %s REPLICA IDENTITY".formatted(table.quoted());
      case UNLOGGED ->
          "set it LOGGED again, bring the rows that were written meanwhile over by hand, verify afterwards";
      case REWRITTEN ->
          "run it on the other shards too if it was ALTER COLUMN .. USING, which changes rows without a message (VACUUM FULL, CLUSTER and TRUNCATE of a whole table need nothing; after TRUNCATE of one partition delete its rows on the destinations), verify afterwards";
      case STRANGER ->
          "as its rows are neither copied nor told by the stream, take it out again (ALTER TABLE .. NO INHERIT, or DETACH PARTITION), INSERT its rows into the table if they are to be there";
      case ATTACHED ->
          "as its rows came without a message, detach it, make an empty partition in its place on all shards and INSERT its rows into the table";
      case ATTACHED_AGAIN ->
          "bring over by hand what was changed in it meanwhile, as no message told it, verify afterwards";
      case DETACHED ->
          "as its rows went without a message, attach it again (DELETE the rows then, if they are to go), or delete them on the other side too";
    };
  }

  /** Changes of a table on a shard, each with the way on. */
  static String text(ShardId shard, TableId table, List<Change> changes) {
    Map<Kind, List<String>> byKind = new LinkedHashMap<>();
    changes.forEach(c -> byKind.computeIfAbsent(c.kind(), k -> new ArrayList<>()).add(c.text()));
    return byKind.entrySet().stream()
        .map(
            kind ->
                "table %s on shard %s: %s; to go on, %s, then 'reshard resume'"
                    .formatted(
                        table,
                        shard,
                        String.join(", ", kind.getValue()),
                        remedy(kind.getKey(), table)))
        .collect(Collectors.joining("; "));
  }

  /**
   * How a table's columns differ between two shards; empty if they do not.
   *
   * @param before the first shard's columns, each with what it is
   * @param now the second shard's
   */
  static Optional<String> difference(
      TableId id,
      ShardId first,
      SortedMap<String, String> before,
      ShardId second,
      SortedMap<String, String> now) {
    Set<String> names = new TreeSet<>(before.keySet());
    names.addAll(now.keySet());
    String text =
        names.stream()
            .filter(name -> !Objects.equals(before.get(name), now.get(name)))
            .map(
                name ->
                    "%s is %s on %s, %s on %s"
                        .formatted(
                            name,
                            before.getOrDefault(name, "missing"),
                            first,
                            now.getOrDefault(name, "missing"),
                            second))
            .collect(Collectors.joining(", "));
    return text.isEmpty() ? Optional.empty() : Optional.of("table %s: %s".formatted(id, text));
  }
}

package dev.reshard.copy;

import dev.reshard.postgres.Table;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * What a table's files of rows were at one moment, by their quoted names. Immutable.
 *
 * @param byName of each what changes when its columns are altered, and when it is written anew
 */
record Leaves(Map<String, Version> byName) {

  /** Of one file, and of its place in the table. */
  record Version(long columns, long shape, long file, long attached) {

    /**
     * Whether a column's rows may have got other values: a right or the statistics of a column
     * change no row, and an ALTER that does writes the file anew.
     */
    private boolean isAltered(Version now) {
      return shape != now.shape || (columns != now.columns && file != now.file);
    }
  }

  static Leaves of(Table table) {
    Map<String, Version> leaves = new TreeMap<>();
    table
        .leaves()
        .forEach(
            leaf ->
                leaves.put(
                    leaf.id().quoted(),
                    new Version(
                        leaf.columnsVersion(),
                        leaf.columnsShape(),
                        leaf.fileNode(),
                        leaf.attached())));
    return new Leaves(leaves);
  }

  /** Of what {@link #toString} wrote. */
  static Leaves parse(String text) {
    Map<String, Version> leaves = new TreeMap<>();
    for (String line : text.split("\n", -1)) {
      String[] parts = line.split(" ", 5);
      if (parts.length == 5) {
        leaves.put(
            parts[4],
            new Version(
                Long.parseLong(parts[0]),
                Long.parseLong(parts[1]),
                Long.parseLong(parts[2]),
                Long.parseLong(parts[3])));
      }
    }
    return new Leaves(leaves);
  }

  /**
   * Whether what was copied of these is still what the stream goes on from. A partition that was
   * written anew may have been truncated by its own name, and one that was detached and attached
   * again may have been changed meanwhile, which no message tells; a table that was truncated by
   * its name is emptied by the stream.
   */
  boolean areUnaltered(Table now) {
    Map<String, Version> today = of(now).byName;
    return byName.entrySet().stream()
        .allMatch(
            leaf -> {
              Version version = today.get(leaf.getKey());
              return version != null
                  && !leaf.getValue().isAltered(version)
                  && version.attached() == leaf.getValue().attached()
                  && (!now.partitioned() || version.file() == leaf.getValue().file());
            });
  }

  /** Whether the table has no others now: what another one holds, no message told. */
  boolean areAll(Table now) {
    Set<String> known = byName.keySet();
    return known.containsAll(of(now).byName.keySet());
  }

  @Override
  public String toString() {
    return byName.entrySet().stream()
        .map(
            leaf ->
                "%d %d %d %d %s"
                    .formatted(
                        leaf.getValue().columns(),
                        leaf.getValue().shape(),
                        leaf.getValue().file(),
                        leaf.getValue().attached(),
                        leaf.getKey()))
        .collect(Collectors.joining("\n"));
  }
}

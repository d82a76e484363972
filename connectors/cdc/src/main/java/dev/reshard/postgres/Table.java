package dev.reshard.postgres;

import dev.reshard.keyspace.TableId;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * A table as one shard's catalog has it at one moment. Immutable.
 *
 * @param columns live columns in order, generated ones included
 * @param primaryKey its columns; empty without one
 * @param identity what a change says of the old row
 * @param leaves where the rows lie: the table itself, or the leaves of a partitioned one
 * @param strangers tables whose rows a query of this one finds too, though they cannot be followed:
 *     children by INHERITS, and foreign tables that are partitions (HAZARDS F6)
 */
public record Table(
    TableId id,
    long oid,
    boolean partitioned,
    List<Column> columns,
    List<String> primaryKey,
    ReplicaIdentity identity,
    List<Leaf> leaves,
    List<TableId> strangers) {

  /**
   * The replica identity (PostgreSQL manual, ALTER TABLE). Immutable.
   *
   * @param columns what an UPDATE or DELETE says of the old row; empty: nothing, and then a table
   *     in a publication takes no UPDATE at all (HAZARDS F2), or not enough, as the key holds a
   *     column that the server computes
   * @param full FULL: rows are told apart by all their columns
   * @param setting how {@code ALTER TABLE .. REPLICA IDENTITY} writes it, to put it back
   */
  public record ReplicaIdentity(List<String> columns, boolean full, String setting) {
    public ReplicaIdentity {
      columns = List.copyOf(columns);
    }

    public boolean isUsable() {
      return full || !columns.isEmpty();
    }

    /** Whether it says of an old row at least what the other one does. */
    private boolean saysAllOf(ReplicaIdentity other) {
      return full || (!other.full && columns.containsAll(other.columns));
    }
  }

  /**
   * One file of rows.
   *
   * @param fileNode changes when the table is rewritten
   * @param columnsVersion changes when a column is altered, be it to the same type: such an ALTER
   *     may give every row another value without any message in the stream (HAZARDS F5), and then
   *     writes the table anew; but also when a right or the statistics of a column change
   * @param columnsShape changes when a column is another one, or of another type
   * @param blocks its length in pages of 8 KiB, when it was read
   * @param logged whether the stream tells of its rows: not of those of an UNLOGGED table
   * @param attached changes when the partition, or one that it lies in, is detached and attached
   *     again: no message tells what happened to its rows in between (HAZARDS F6)
   * @param identity the leaf's own
   */
  public record Leaf(
      TableId id,
      long oid,
      long fileNode,
      long columnsVersion,
      long columnsShape,
      long blocks,
      boolean logged,
      long attached,
      ReplicaIdentity identity) {}

  public Table {
    columns = List.copyOf(columns);
    primaryKey = List.copyOf(primaryKey);
    leaves = List.copyOf(leaves);
    strangers = List.copyOf(strangers);
  }

  /** The columns that we copy and write: all but generated ones. */
  public List<Column> stored() {
    return columns.stream().filter(column -> !column.generated()).toList();
  }

  /**
   * The column of that name.
   *
   * @throws IllegalArgumentException if there is none
   */
  public Column column(String name) {
    return columns.stream()
        .filter(column -> column.name().equals(name))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException(id + " has no column " + name));
  }

  public boolean hasColumn(String name) {
    return columns.stream().anyMatch(column -> column.name().equals(name));
  }

  /**
   * The columns by which rows, here and in changes, are told apart: of the primary key and of the
   * replica identity, unless that is all columns.
   */
  public Set<String> tellingColumns() {
    Set<String> telling = new TreeSet<>(primaryKey);
    if (!identity.full()) {
      telling.addAll(identity.columns());
    }
    return telling;
  }

  /**
   * Whether one unique index of columns that are never NULL tells all rows apart, and changes say
   * them: so a row can be found again, wherever it lies.
   */
  public boolean isKeyed() {
    return identity.isUsable() && !identity.full();
  }

  /**
   * Partitions whose changes say less of the old row than the table's identity promises. Each has
   * an identity of its own, a new one the default: {@code ALTER TABLE .. REPLICA IDENTITY} does not
   * reach them (PostgreSQL, tablecmds.c), while the stream announces the table's.
   */
  public List<Leaf> leavesThatSayLess() {
    return leaves.stream()
        .filter(leaf -> leaf.oid() != oid && !leaf.identity().saysAllOf(identity))
        .toList();
  }

  /**
   * What must not change while rows are copied or replicated: files, columns and partitions
   * (HAZARDS F4-F6). Two tables with an equal fingerprint hold the rows they held, changed only by
   * changes that the stream carries.
   */
  public String fingerprint() {
    StringBuilder text = new StringBuilder();
    for (Leaf leaf : leaves) {
      text.append(leaf.id()).append(' ').append(leaf.fileNode());
      text.append(' ').append(leaf.attached()).append(' ').append(leaf.columnsShape()).append('\n');
    }
    return text.append(strangers).append('\n').append(shape()).toString();
  }

  /** Its columns, and what changes say of its rows. */
  public String shape() {
    StringBuilder text = new StringBuilder();
    columns.forEach(column -> text.append(column).append('\n'));
    return text.append(identity).toString();
  }
}

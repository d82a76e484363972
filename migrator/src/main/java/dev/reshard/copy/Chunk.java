package dev.reshard.copy;

import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Table;
import java.util.ArrayList;
import java.util.List;

/**
 * A range of a table's pages. Immutable.
 *
 * @param cut how many pages the ranges have that the table is cut into
 * @param to exclusive; {@link #OPEN} for the last one of a file, which takes all that was written
 *     behind the measured end before the snapshot
 */
public record Chunk(TableId table, Table.Leaf leaf, long cut, long from, long to) {
  static final long OPEN = Long.MAX_VALUE;

  /** Cuts a table into ranges of at most {@code blocks} pages; no leaf is without one. */
  public static List<Chunk> cut(Table table, int blocks) {
    List<Chunk> chunks = new ArrayList<>();
    for (Table.Leaf leaf : table.leaves()) {
      long from = 0;
      for (; from + blocks < leaf.blocks(); from += blocks) {
        chunks.add(new Chunk(table.id(), leaf, blocks, from, from + blocks));
      }
      chunks.add(new Chunk(table.id(), leaf, blocks, from, OPEN));
    }
    return chunks;
  }

  /** How many pages of the measured length it has. */
  public long blocks() {
    return Math.min(to, leaf.blocks()) - from;
  }

  /** The condition for its rows. */
  public String where() {
    String lower = "ctid >= '(%d,0)'::tid".formatted(from);
    return to == OPEN ? lower : lower + " AND ctid < '(%d,0)'::tid".formatted(to);
  }

  /** For messages. */
  @Override
  public String toString() {
    return "%s pages %d to %s".formatted(leaf.id(), from, to == OPEN ? "the end" : to - 1);
  }
}

package dev.reshard.change;

import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * A transaction of which not all chunks have come. Small ones are kept in memory; of a large one
 * only what is needed to know that it is whole, for it can be read again (HAZARDS F32). Confined to
 * one thread.
 */
final class OpenTransaction {
  /** The most bytes of records kept of one transaction; decoded they take some times as much. */
  static final long MEMORY_BYTES = 4L * 1024 * 1024;

  private final ChunkBody body;
  private final Chunk first;
  private final long firstOffset;
  private final CRC32C crc = new CRC32C();
  private final List<String> tokens = new ArrayList<>();

  /** Chunks not decoded yet. */
  private final List<Chunk> kept = new ArrayList<>();

  private int chunks;
  private long bytes;
  private long countedRows;
  private boolean large;

  /**
   * @param first a first chunk; to be added like the others
   */
  OpenTransaction(ChunkBody body, Chunk first, long firstOffset) {
    this.body = body;
    this.first = first;
    this.firstOffset = firstOffset;
  }

  /** Whether {@code chunk} is the next one. */
  boolean isContinuedBy(Chunk chunk) {
    return chunk.index() == chunks && chunk.commit().equals(first.commit());
  }

  void add(Chunk chunk) {
    chunks++;
    crc.update(chunk.record(), chunk.bodyStart(), chunk.bodyLength());
    kept.add(chunk);
    bytes += chunk.record().length;
    if (bytes > MEMORY_BYTES) {
      large = true;
      kept.forEach(c -> countedRows += body.count(c, tokens));
      kept.clear();
    }
  }

  /** Whether the chunks are as many, and the same, as the last one says. */
  boolean addsUpTo(Chunk.End end) {
    return chunks == end.chunks() && (int) crc.getValue() == end.crc();
  }

  /**
   * The transaction, after its last chunk was added.
   *
   * @param store gives the chunks of a large one again
   * @return null if the rows are not as many as the end says
   */
  Transaction complete(Chunk.End end, long offset, ChunkStore store) {
    List<RowChange> rows;
    if (large) {
      rows =
          new StoredChanges(
              store, first.incarnation(), first.commit(), firstOffset, offset, end.rows());
    } else {
      rows = new ArrayList<>();
      List<RowChange> decoded = rows;
      body.begin();
      kept.forEach(chunk -> body.read(chunk, tokens, decoded));
      countedRows = rows.size();
    }
    return countedRows != end.rows()
        ? null
        : new Transaction(
            first.incarnation(),
            first.begin().server(),
            end.end(),
            end.previous(),
            first.begin().committed(),
            rows,
            tokens,
            offset,
            bytes);
  }
}

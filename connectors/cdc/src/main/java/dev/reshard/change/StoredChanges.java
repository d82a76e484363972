package dev.reshard.change;

import dev.reshard.postgres.Lsn;
import java.util.AbstractSequentialList;
import java.util.ArrayList;
import java.util.List;
import java.util.ListIterator;
import java.util.NoSuchElementException;

/**
 * The changes of a transaction too large for memory: each iteration reads them again from the
 * topic, a chunk at a time. Goes forward only. Confined to the reader's thread, and of use until
 * the reader is closed.
 */
final class StoredChanges extends AbstractSequentialList<RowChange> {
  private final ChunkStore store;
  private final long incarnation;
  private final Lsn commit;
  private final long firstOffset;
  private final long lastOffset;
  private final int size;

  StoredChanges(
      ChunkStore store,
      long incarnation,
      Lsn commit,
      long firstOffset,
      long lastOffset,
      long size) {
    this.store = store;
    this.incarnation = incarnation;
    this.commit = commit;
    this.firstOffset = firstOffset;
    this.lastOffset = lastOffset;
    this.size = Math.toIntExact(size);
  }

  @Override
  public int size() {
    return size;
  }

  @Override
  public ListIterator<RowChange> listIterator(int index) {
    if (index < 0 || index > size) {
      throw new IndexOutOfBoundsException(index);
    }
    Cursor cursor = new Cursor();
    for (int i = 0; i < index; i++) {
      cursor.next();
    }
    return cursor;
  }

  private boolean isOurs(Chunk chunk, int index) {
    return chunk.incarnation() == incarnation
        && chunk.commit().equals(commit)
        && chunk.index() == index;
  }

  private final class Cursor implements ListIterator<RowChange> {
    private final ChunkBody body = new ChunkBody();
    private final List<RowChange> rows = new ArrayList<>();
    private List<ChunkStore.Stored> records = List.of();
    private int row;
    private int record;
    private int chunks;
    private int done;
    private long offset = firstOffset;

    @Override
    public boolean hasNext() {
      return done < size;
    }

    @Override
    public RowChange next() {
      if (!hasNext()) {
        throw new NoSuchElementException();
      }
      while (row == rows.size()) {
        nextChunk();
      }
      done++;
      return rows.set(row++, null); // a large one is not kept while the next one is read
    }

    private void nextChunk() {
      while (true) {
        if (record == records.size()) {
          if (offset > lastOffset) {
            throw new IllegalStateException("a transaction has fewer rows than it had before");
          }
          records = store.from(offset);
          record = 0;
        }
        ChunkStore.Stored stored = records.get(record++);
        offset = stored.offset() + 1;
        Chunk chunk = Chunk.parse(stored.record());
        if (isOurs(chunk, chunks)) {
          chunks++;
          rows.clear();
          row = 0;
          body.read(chunk, new ArrayList<>(), rows);
          if (!rows.isEmpty()) {
            return;
          }
        }
      }
    }

    @Override
    public int nextIndex() {
      return done;
    }

    @Override
    public int previousIndex() {
      return done - 1;
    }

    @Override
    public boolean hasPrevious() {
      throw new UnsupportedOperationException("goes forward only");
    }

    @Override
    public RowChange previous() {
      throw new UnsupportedOperationException("goes forward only");
    }

    @Override
    public void remove() {
      throw new UnsupportedOperationException("not modifiable");
    }

    @Override
    public void set(RowChange change) {
      throw new UnsupportedOperationException("not modifiable");
    }

    @Override
    public void add(RowChange change) {
      throw new UnsupportedOperationException("not modifiable");
    }
  }
}

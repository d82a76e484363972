package dev.reshard.change;

import java.util.List;

/** Gives records again that were read before. Confined to the reader's thread. */
interface ChunkStore {

  /**
   * A record and its place. Not modified after it was made.
   *
   * @param offset in the topic
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Stored(long offset, byte[] record) {}

  /**
   * Some records from {@code offset} on, at least one.
   *
   * @throws ChangeException {@code RECORDS_GONE} if the topic holds them no longer
   */
  List<Stored> from(long offset);
}

package dev.reshard.capture;

import dev.reshard.change.TextTuple;
import dev.reshard.postgres.Lsn;
import java.time.Instant;
import java.util.List;

/** Takes what {@link PgOutput} reads, in the server's order. */
interface ChangeHandler {

  /**
   * @param commit start of the commit record
   */
  void begin(Lsn commit, Instant committed);

  /** Whether the rest of the transaction is of no interest, and need not be parsed. */
  boolean isSkipping();

  void insert(Relation table, TextTuple row);

  /**
   * @param old the old row, or only its key with NULL elsewhere; null if its key did not change
   * @param oldIsWhole whether {@code old} is the whole row (REPLICA IDENTITY FULL)
   */
  void update(Relation table, TextTuple old, boolean oldIsWhole, TextTuple row);

  void delete(Relation table, TextTuple old);

  void truncate(List<Relation> tables);

  /** A transactional message. */
  void message(String prefix, byte[] content);

  /**
   * @param end end of the commit record
   */
  void commit(Lsn end);
}

package dev.reshard.change;

import dev.reshard.change.ChangeException.Reason;
import dev.reshard.postgres.Lsn;
import dev.reshard.postgres.ServerIdentity;
import java.util.Optional;

/**
 * Puts chunks together to transactions, and tells the whole from the torn (HAZARDS F23). No I/O.
 * Confined to one thread.
 *
 * <p>A chunk of an older incarnation than the newest seen is a zombie's: dropped. A transaction
 * whose chunks do not follow each other up to an end is torn: dropped, because capture confirms a
 * transaction to PostgreSQL only after Kafka took all of it, and so its next incarnation sends it
 * again. A transaction that ends at or before the position is repeated: dropped. A transaction that
 * follows one which lies after the position shows a gap: changes are missing, unless a newer
 * incarnation sends them again.
 *
 * <p>A transaction of another server than the position's is refused, wherever it ends: positions of
 * two servers do not compare, so that neither "repeated" nor "new" can be said of it (HAZARDS F18).
 * A server that the source was before the reader's anchor is an older incarnation's, and dropped as
 * such.
 */
final class TransactionAssembler {
  private final String topic;
  private final ChunkStore store;
  private final ChunkBody body = new ChunkBody();

  private long incarnation;
  private Lsn position;
  private ServerIdentity server;
  private OpenTransaction open;
  private ChangeException gap;

  /**
   * @param topic for messages
   * @param store gives the records of large transactions again
   * @param incarnation the newest seen so far, or the newest that does not count
   * @param position end of the last transaction taken
   * @param server whose positions these are; null: the first one seen
   */
  TransactionAssembler(
      String topic, ChunkStore store, long incarnation, Lsn position, ServerIdentity server) {
    this.topic = topic;
    this.store = store;
    this.incarnation = incarnation;
    this.position = position;
    this.server = server;
  }

  /**
   * Takes the next record of the topic.
   *
   * @return the transaction that it completes, if it does and the transaction is new
   * @throws ChangeException {@code CORRUPT}, {@code UNREADABLE} or {@code OTHER_SERVER}
   */
  Optional<Transaction> take(byte[] record, long offset) {
    Chunk chunk = Chunk.parse(record);
    if (chunk.incarnation() < incarnation) {
      return Optional.empty();
    }
    if (chunk.incarnation() > incarnation) {
      incarnation = chunk.incarnation();
      open = null;
      gap = null;
    }
    if (chunk.index() == 0) {
      checkServer(chunk, offset);
      open = new OpenTransaction(body, chunk, offset);
    } else if (open == null || !open.isContinuedBy(chunk)) {
      open = null;
      return Optional.empty();
    }
    open.add(chunk);
    return chunk.end() == null ? Optional.empty() : complete(chunk.end(), offset);
  }

  /**
   * What is missing before the records taken last; empty again as soon as a newer incarnation
   * begins, for it sends again what was not confirmed.
   */
  Optional<ChangeException> gap() {
    return Optional.ofNullable(gap);
  }

  long incarnation() {
    return incarnation;
  }

  Lsn position() {
    return position;
  }

  Optional<ServerIdentity> server() {
    return Optional.ofNullable(server);
  }

  private Optional<Transaction> complete(Chunk.End end, long offset) {
    OpenTransaction whole = open;
    open = null;
    if (gap == null && end.previous().isAfter(position)) {
      gap =
          new ChangeException(
              Reason.GAP,
              ("topic %s, offset %d: a transaction follows one that ends at %s, but the last one "
                      + "here ended at %s. What committed between them is missing, and what was "
                      + "applied from this topic must not become the owner of anything. Copy "
                      + "again from a new anchor.")
                  .formatted(topic, offset, end.previous(), position));
    }
    if (gap != null || !end.end().isAfter(position)) {
      return Optional.empty();
    }
    if (!whole.addsUpTo(end)) {
      throw corrupt(offset, end);
    }
    Transaction transaction = whole.complete(end, offset, store);
    if (transaction == null) {
      throw corrupt(offset, end);
    }
    position = end.end();
    return Optional.of(transaction);
  }

  private ChangeException corrupt(long offset, Chunk.End end) {
    return new ChangeException(
        Reason.CORRUPT,
        ("topic %s, offset %d: the transaction that ends at %s should have %d chunks with %d rows "
                + "and another checksum. The topic was damaged or written by somebody else; "
                + "nothing of this transaction was used. Copy again from a new anchor.")
            .formatted(topic, offset, end.end(), end.chunks(), end.rows()));
  }

  private void checkServer(Chunk chunk, long offset) {
    if (chunk.begin() == null) {
      throw new ChangeException(
          Reason.UNREADABLE,
          "topic %s, offset %d: a first chunk without its beginning".formatted(topic, offset));
    }
    ServerIdentity sender = chunk.begin().server();
    if (server == null) {
      server = sender;
    } else if (!server.equals(sender)) {
      throw new ChangeException(
          Reason.OTHER_SERVER,
          ("topic %s, offset %d: the changes come from %s, so far they came from %s. WAL positions "
                  + "of the two do not compare, so changes may be missing or different. Check how "
                  + "the source failed over, then copy again from a new anchor.")
              .formatted(topic, offset, sender, server));
    }
  }
}

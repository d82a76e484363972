package dev.reshard.change;

import dev.reshard.change.ChangeException.Reason;
import dev.reshard.postgres.Lsn;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.zip.CRC32C;

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
 */
final class TransactionAssembler {
  private final String topic;
  private final ChunkBody body = new ChunkBody();

  private long incarnation;
  private Lsn position;
  private ServerIdentity server;
  private List<Chunk> open = new ArrayList<>();
  private ChangeException gap;

  /**
   * @param topic for messages
   * @param incarnation the newest seen so far
   * @param position end of the last transaction taken
   * @param server whose positions these are; null: the first one seen
   */
  TransactionAssembler(String topic, long incarnation, Lsn position, ServerIdentity server) {
    this.topic = topic;
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
      open = new ArrayList<>();
      gap = null;
    }
    if (chunk.index() == 0) {
      open = new ArrayList<>();
      checkServer(chunk, offset);
    } else if (open.size() != chunk.index() || !open.get(0).commit().equals(chunk.commit())) {
      open = new ArrayList<>();
      return Optional.empty();
    }
    open.add(chunk);
    return chunk.end() == null ? Optional.empty() : complete(offset);
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

  private Optional<Transaction> complete(long offset) {
    List<Chunk> chunks = open;
    open = new ArrayList<>();
    Chunk.End end = chunks.get(chunks.size() - 1).end();
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
    Transaction transaction = decode(chunks, end, offset);
    position = end.end();
    return Optional.of(transaction);
  }

  private Transaction decode(List<Chunk> chunks, Chunk.End end, long offset) {
    CRC32C crc = new CRC32C();
    chunks.forEach(chunk -> crc.update(chunk.record(), chunk.bodyStart(), chunk.bodyLength()));
    if (chunks.size() != end.chunks() || (int) crc.getValue() != end.crc()) {
      throw corrupt(offset, end, chunks.size() + " chunks or their checksum");
    }
    List<RowChange> rows = new ArrayList<>();
    List<String> tokens = new ArrayList<>();
    chunks.forEach(chunk -> body.read(chunk, tokens, rows));
    if (rows.size() != end.rows()) {
      throw corrupt(offset, end, rows.size() + " rows");
    }
    return new Transaction(
        incarnation,
        end.end(),
        end.previous(),
        chunks.get(0).begin().committed(),
        rows,
        tokens,
        offset);
  }

  private ChangeException corrupt(long offset, Chunk.End end, String what) {
    return new ChangeException(
        Reason.CORRUPT,
        ("topic %s, offset %d: the transaction that ends at %s should have %d chunks with %d rows, "
                + "and %s differ. The topic was damaged or written by somebody else; nothing of "
                + "this transaction was used. Copy again from a new anchor.")
            .formatted(topic, offset, end.end(), end.chunks(), end.rows(), what));
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

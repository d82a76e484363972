package dev.reshard.copy;

import dev.reshard.keyspace.ShardId;
import dev.reshard.postgres.CopyReader;
import dev.reshard.postgres.CopyWriter;
import dev.reshard.postgres.CopyWriter.Batches;
import dev.reshard.postgres.Lsn;
import dev.reshard.postgres.OwnTransaction;
import dev.reshard.postgres.WorkerIdentity;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Optional;

/** One chunk on its way into one destination: rows and ledger row, in one transaction. */
final class Load implements AutoCloseable {
  private final ShardId destination;
  private final TableCopy table;
  private final Chunk chunk;
  private final CopyLedger ledger;
  private final Connection connection;
  private final OwnTransaction transaction;
  private final CopyWriter writer;
  private final Optional<Staging> staging;
  private long bytes;

  private Load(
      ShardId destination,
      TableCopy table,
      Chunk chunk,
      CopyLedger ledger,
      Connection connection,
      OwnTransaction transaction,
      CopyWriter writer,
      Optional<Staging> staging) {
    this.destination = destination;
    this.table = table;
    this.chunk = chunk;
    this.ledger = ledger;
    this.connection = connection;
    this.transaction = transaction;
    this.writer = writer;
    this.staging = staging;
  }

  /**
   * Begins; empty if the destination has the chunk already.
   *
   * @param merges whether rows of the chunk may be there, which are then left as they are
   */
  static Optional<Load> open(
      Connection connection,
      WorkerIdentity worker,
      ShardId destination,
      TableCopy table,
      Chunk chunk,
      CopyLedger ledger,
      Lsn anchor,
      boolean merges,
      Batches batches)
      throws SQLException {
    OwnTransaction transaction =
        OwnTransaction.begin(connection, worker, OwnTransaction.Durability.ASYNCHRONOUS);
    boolean begun = false;
    try {
      ledger.mark(connection);
      if (!ledger.enter(connection, chunk, anchor)) {
        return Optional.empty();
      }
      Optional<Staging> staging =
          merges ? Optional.of(Staging.open(connection, table.table())) : Optional.empty();
      CopyWriter writer =
          CopyWriter.open(
              connection,
              staging.map(Staging::id).orElse(table.table().id()),
              table.table().stored(),
              table.format(),
              batches);
      begun = true;
      return Optional.of(
          new Load(destination, table, chunk, ledger, connection, transaction, writer, staging));
    } finally {
      if (!begun) {
        transaction.close();
      }
    }
  }

  ShardId destination() {
    return destination;
  }

  long bytes() {
    return bytes;
  }

  void add(CopyReader row) throws SQLException {
    bytes += row.length();
    try {
      row.writeTo(writer);
    } catch (SQLException e) {
      throw explain(e);
    }
  }

  /**
   * Ends the load.
   *
   * @return how many rows it brought
   */
  long commit(long strays) throws SQLException {
    try {
      long rows = writer.finish();
      if (staging.isPresent()) {
        rows = staging.get().merge();
      }
      ledger.complete(connection, chunk, rows, strays);
      transaction.commit();
      return rows;
    } catch (SQLException e) {
      throw explain(e);
    }
  }

  private SQLException explain(SQLException failure) throws SQLException {
    try {
      close();
    } catch (SQLException e) {
      failure.addSuppressed(e);
      return failure;
    }
    return UniqueConflict.explain(failure, connection, destination, table.table());
  }

  /** Rolls back what was not committed. Idempotent. */
  @Override
  public void close() throws SQLException {
    try {
      writer.close();
    } finally {
      transaction.close();
    }
  }
}

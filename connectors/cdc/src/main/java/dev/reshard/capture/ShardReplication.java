package dev.reshard.capture;

import dev.reshard.change.TransactionEncoder;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Lsn;
import dev.reshard.postgres.ServerIdentity;
import io.debezium.connector.postgresql.connection.ReplicationConnection;
import io.debezium.connector.postgresql.connection.ReplicationStream;
import io.debezium.connector.postgresql.connection.WalPositionLocator;
import io.debezium.connector.postgresql.spi.SlotCreationResult;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.postgresql.PGConnection;
import org.postgresql.replication.LogSequenceNumber;
import org.postgresql.replication.PGReplicationStream;

/**
 * One replication session of ours, with the settings of all our sessions, as Debezium wants to see
 * it. It streams from the slot's confirmed position, whatever position Debezium asks for: only that
 * gives whole transactions. Confined to the engine's threads, one at a time.
 */
final class ShardReplication implements ReplicationConnection {
  /** Longest silence between two messages of ours to the server. */
  private static final Duration LONGEST_STATUS_INTERVAL = Duration.ofSeconds(10);

  private final CaptureSource source;
  private final long incarnation;
  private final Lsn confirmed;
  private final Progress progress;
  private final Connection connection;
  private volatile boolean streaming;

  ShardReplication(CaptureSource source, long incarnation, Lsn confirmed, Progress progress)
      throws SQLException {
    this.source = source;
    this.incarnation = incarnation;
    this.confirmed = confirmed;
    this.progress = progress;
    this.connection = source.sessions().openReplication(source.shard(), "capture");
  }

  @Override
  public ReplicationStream startStreaming(WalPositionLocator ignored) throws SQLException {
    Outbox outbox = new Outbox(progress);
    TransactionEncoder encoder =
        new TransactionEncoder(ServerIdentity.of(connection), incarnation, confirmed, outbox::add);
    Duration statusInterval = statusInterval();
    PGReplicationStream stream =
        connection
            .unwrap(PGConnection.class)
            .getReplicationAPI()
            .replicationStream()
            .logical()
            .withSlotName(source.slot())
            .withStartPosition(LogSequenceNumber.valueOf(0))
            .withAutomaticFlush(false)
            .withStatusInterval(Math.toIntExact(statusInterval.toMillis()), TimeUnit.MILLISECONDS)
            .withSlotOption("proto_version", 1)
            .withSlotOption("publication_names", TableId.quote(source.publication()))
            .withSlotOption("messages", true)
            .start();
    streaming = true;
    PgOutput decoder = new PgOutput(new ScopeFilter(source.scope(), source.marker(), encoder));
    return new ShardStream(stream, decoder, outbox, progress, statusInterval);
  }

  @Override
  public ReplicationStream startStreaming(
      io.debezium.connector.postgresql.connection.Lsn ignored, WalPositionLocator alsoIgnored)
      throws SQLException {
    return startStreaming(alsoIgnored);
  }

  /** Never called, for the slot exists; a slot that Debezium made would not be the anchor's. */
  @Override
  public Optional<SlotCreationResult> createReplicationSlot() {
    throw new CaptureException(
        CaptureException.Reason.SLOT_MISSING,
        "replication slot %s on shard %s is gone".formatted(source.slot(), source.shard()));
  }

  @Override
  public void initConnection() {
    // the constructor has
  }

  @Override
  public boolean isConnected() throws SQLException {
    return !connection.isClosed();
  }

  /** Never called: Debezium reconnects to search for an offset, and there is none. */
  @Override
  public void reconnect() {
    throw new IllegalStateException("a stream goes on in a new incarnation only");
  }

  @Override
  public void close() throws SQLException {
    connection.close();
  }

  /** Whether a stream was opened. */
  boolean isStreaming() {
    return streaming;
  }

  /** A quarter of the time after which the server would hang up. */
  private Duration statusInterval() throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                "SELECT setting::int8 FROM pg_settings WHERE name = 'wal_sender_timeout'")) {
      row.next();
      Duration quarter = Duration.ofMillis(row.getLong(1)).dividedBy(4);
      return quarter.isZero() || quarter.compareTo(LONGEST_STATUS_INTERVAL) > 0
          ? LONGEST_STATUS_INTERVAL
          : quarter;
    }
  }
}

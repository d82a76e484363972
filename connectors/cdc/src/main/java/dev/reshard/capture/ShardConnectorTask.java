package dev.reshard.capture;

import io.debezium.connector.postgresql.PostgresConnectorConfig;
import io.debezium.connector.postgresql.PostgresConnectorTask;
import io.debezium.connector.postgresql.PostgresSchema;
import io.debezium.connector.postgresql.connection.PostgresConnection;
import io.debezium.connector.postgresql.connection.ReplicationConnection;
import java.sql.SQLException;

/**
 * Debezium's task, streaming through our own replication connection. Public because the engine
 * makes it by name; nobody else should.
 */
public final class ShardConnectorTask extends PostgresConnectorTask {
  @Override
  protected ReplicationConnection buildReplicationConnection(
      PostgresConnection metadata, PostgresSchema schema, PostgresConnectorConfig config)
      throws SQLException {
    return Incarnation.running(config.getLogicalName()).connect();
  }
}

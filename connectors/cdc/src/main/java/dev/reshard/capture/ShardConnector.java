package dev.reshard.capture;

import io.debezium.connector.postgresql.PostgresConnector;
import org.apache.kafka.connect.connector.Task;

/**
 * Debezium's connector with our task. Public because the engine makes it by name; nobody else
 * should.
 */
public final class ShardConnector extends PostgresConnector {
  @Override
  public Class<? extends Task> taskClass() {
    return ShardConnectorTask.class;
  }
}

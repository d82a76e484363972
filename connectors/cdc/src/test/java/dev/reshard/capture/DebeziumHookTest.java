package dev.reshard.capture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.debezium.connector.postgresql.Module;
import io.debezium.connector.postgresql.PostgresConnector;
import io.debezium.connector.postgresql.PostgresConnectorConfig;
import io.debezium.connector.postgresql.PostgresConnectorTask;
import io.debezium.connector.postgresql.PostgresSchema;
import io.debezium.connector.postgresql.connection.LogicalDecodingMessage;
import io.debezium.connector.postgresql.connection.PostgresConnection;
import io.debezium.connector.postgresql.connection.ReplicationConnection;
import io.debezium.connector.postgresql.connection.ReplicationMessage.Operation;
import io.debezium.connector.postgresql.connection.ReplicationStream;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.time.Instant;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** Fails when Debezium changes what capture hooks into; then read its new sources first. */
class DebeziumHookTest {

  @Test
  void theVersionIsTheOneThatWasRead() {
    assertEquals("3.6.3.Final", Module.version());
  }

  @Test
  void theTaskLetsUsBuildTheReplicationConnection() throws NoSuchMethodException {
    Method hook =
        PostgresConnectorTask.class.getDeclaredMethod(
            "buildReplicationConnection",
            PostgresConnection.class,
            PostgresSchema.class,
            PostgresConnectorConfig.class);
    assertTrue(Modifier.isProtected(hook.getModifiers()));
    assertFalse(Modifier.isFinal(hook.getModifiers()));
    assertEquals(ReplicationConnection.class, hook.getReturnType());
  }

  @Test
  void theConnectorLetsUsNameTheTask() throws NoSuchMethodException {
    assertFalse(Modifier.isFinal(PostgresConnector.class.getMethod("taskClass").getModifiers()));
    assertEquals(ShardConnectorTask.class, new ShardConnector().taskClass());
  }

  @Test
  void theStreamHasNoMethodThatWeDoNotKnow() {
    assertEquals(
        Set.of(
            "read",
            "readPending",
            "flushLsn",
            "lastReceivedLsn",
            "startLsn",
            "startKeepAlive",
            "stopKeepAlive",
            "close"),
        methods(ReplicationStream.class));
    assertEquals(
        Set.of(
            "startStreaming",
            "createReplicationSlot",
            "initConnection",
            "isConnected",
            "builder",
            "reconnect"),
        methods(ReplicationConnection.class));
  }

  @Test
  void aMessageEndsItsPositionOnlyIfItIsNotTransactional() {
    assertTrue(message(false).isLastEventForLsn());
    assertFalse(message(true).isLastEventForLsn());
  }

  private static LogicalDecodingMessage message(boolean transactional) {
    return new LogicalDecodingMessage(
        Operation.MESSAGE, Instant.EPOCH, null, transactional, "", new byte[0]);
  }

  private static Set<String> methods(Class<?> type) {
    Set<String> names = new TreeSet<>();
    Arrays.stream(type.getDeclaredMethods())
        .filter(method -> !method.isSynthetic())
        .forEach(method -> names.add(method.getName()));
    return names;
  }
}

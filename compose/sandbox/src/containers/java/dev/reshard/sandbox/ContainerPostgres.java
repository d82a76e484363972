package dev.reshard.sandbox;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.testcontainers.postgresql.PostgreSQLContainer;

/** PostgreSQL in a container. Thread-safe: changes of its state are under this object's lock. */
final class ContainerPostgres implements SandboxPostgres {
  /** That of the embedded engine. */
  static final int MAJOR = 17;

  private final ContainerProcess process;

  private ContainerPostgres(ContainerProcess process) {
    this.process = process;
  }

  static ContainerPostgres start(int major, Map<String, String> settings) {
    List<String> command = new ArrayList<>(List.of("postgres"));
    PostgresSettings.with(settings)
        .forEach((name, value) -> command.addAll(List.of("-c", name + "=" + value)));
    PostgreSQLContainer container =
        new PostgreSQLContainer("postgres:" + major)
            .withUsername(SandboxRole.SUPERUSER.user())
            .withPassword(SandboxRole.SUPERUSER.password())
            .withDatabaseName("postgres");
    container.setCommandParts(command.toArray(String[]::new));
    ContainerPostgres postgres =
        new ContainerPostgres(
            new ContainerProcess(container, PostgreSQLContainer.POSTGRESQL_PORT));
    postgres.process.create();
    return postgres;
  }

  @Override
  public String host() {
    return "127.0.0.1";
  }

  @Override
  public int port() {
    return process.hostPort();
  }

  @Override
  public synchronized void kill() {
    process.kill();
  }

  @Override
  public synchronized void restart() {
    process.stop();
    process.startAgain(this::connectOnce);
  }

  @Override
  public synchronized void close() {
    process.close();
  }

  private void connectOnce() throws SQLException {
    try (Connection connection = superuserConnection("postgres")) {
      if (!connection.isValid(0)) {
        throw new SQLException("not valid yet");
      }
    }
  }
}

package dev.reshard.sandbox;

import java.util.Map;

/**
 * Runs the servers in Docker, through Testcontainers: {@code mvn -Pcontainers
 * -Dreshard.sandbox.engine=containers}. Thread-safe.
 *
 * <p>It is compiled wherever the project is, but has not been run: there was no Docker where it was
 * written.
 */
public final class ContainerEngine implements SandboxEngine {
  @Override
  public String name() {
    return "containers";
  }

  @Override
  public SandboxPostgres startPostgres(Map<String, String> settings) {
    return ContainerPostgres.start(ContainerPostgres.MAJOR, settings);
  }

  @Override
  public SandboxPostgres startPostgres(int major, Map<String, String> settings) {
    return ContainerPostgres.start(major, settings);
  }

  @Override
  public SandboxKafka startKafka(Map<String, String> settings) {
    return ContainerKafka.start(settings);
  }
}

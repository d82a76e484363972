package dev.reshard.sandbox;

import java.util.Map;
import java.util.Optional;

/** Runs PostgreSQL as child processes, and Kafka inside this one. Thread-safe. */
final class EmbeddedEngine implements SandboxEngine {
  @Override
  public String name() {
    return "embedded";
  }

  @Override
  public SandboxPostgres startPostgres(Map<String, String> settings) {
    return EmbeddedPostgres.start(PostgresBinaries.ofBuild(), settings);
  }

  @Override
  public SandboxPostgres startPostgres(int major, Map<String, String> settings) {
    return EmbeddedPostgres.start(PostgresBinaries.of(major), settings);
  }

  @Override
  public SandboxKafka startKafka(Map<String, String> settings) {
    return EmbeddedKafka.start(settings, Optional.empty());
  }
}

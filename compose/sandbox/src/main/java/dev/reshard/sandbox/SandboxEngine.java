package dev.reshard.sandbox;

import java.util.Map;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;

/**
 * What runs the servers: processes of this machine ({@code embedded}, the default) or, when built
 * with the Maven profile {@code containers}, Docker ({@code containers}).
 *
 * <p>Implementations are thread-safe: servers are started in parallel.
 */
public interface SandboxEngine {
  /** The system property that names the engine to use. */
  String PROPERTY = "reshard.sandbox.engine";

  String name();

  /** As {@link SandboxPostgres#start(Map)}. */
  SandboxPostgres startPostgres(Map<String, String> settings);

  /** As {@link SandboxPostgres#start(int, Map)}. */
  SandboxPostgres startPostgres(int major, Map<String, String> settings);

  /** As {@link SandboxKafka#start(Map)}. */
  SandboxKafka startKafka(Map<String, String> settings);

  /**
   * The engine that {@value #PROPERTY} names.
   *
   * @throws SandboxException if there is no such engine on the class path
   */
  static SandboxEngine current() {
    SandboxEngine embedded = new EmbeddedEngine();
    String wanted = System.getProperty(PROPERTY, embedded.name());
    if (wanted.equals(embedded.name())) {
      return embedded;
    }
    try {
      return ServiceLoader.load(SandboxEngine.class).stream()
          .map(ServiceLoader.Provider::get)
          .filter(engine -> engine.name().equals(wanted))
          .findFirst()
          .orElseThrow(() -> noSuchEngine(wanted, null));
    } catch (ServiceConfigurationError leftOver) {
      // target/ has the other profile's list of engines, but not the classes.
      throw noSuchEngine(wanted, leftOver);
    }
  }

  private static SandboxException noSuchEngine(String wanted, Throwable cause) {
    return new SandboxException(
        "%s=%s, but this build has no such engine; 'containers' needs mvn clean .. -Pcontainers"
            .formatted(PROPERTY, wanted),
        cause);
  }
}

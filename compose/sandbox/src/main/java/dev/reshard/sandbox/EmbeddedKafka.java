package dev.reshard.sandbox;

import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.metadata.storage.Formatter;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Kafka's own server, broker and controller, inside this process.
 *
 * <p>It shares this process's heap and dies with it. Thread-safe: changes of the server's state are
 * under this object's lock.
 */
final class EmbeddedKafka implements SandboxKafka {
  private static final Logger log = LoggerFactory.getLogger(EmbeddedKafka.class);
  private static final int NODE_ID = 1;
  private static final String CONTROLLER = "CONTROLLER";

  private final Path directory;
  private final int port;
  private final Map<String, String> settings;
  private final Optional<KafkaLogin> login;
  private KafkaRaftServer server;

  private EmbeddedKafka(
      Path directory, int port, Map<String, String> settings, Optional<KafkaLogin> login) {
    this.directory = directory;
    this.port = port;
    this.settings = settings;
    this.login = login;
  }

  /**
   * Starts a broker.
   *
   * @param login whom it lets in; empty: everybody
   */
  static EmbeddedKafka start(Map<String, String> extra, Optional<KafkaLogin> login) {
    Path directory = RunDirectory.create("kafka-");
    int port = FreePorts.next();
    EmbeddedKafka kafka =
        new EmbeddedKafka(directory, port, settings(extra, directory, port, login), login);
    try {
      Instant begin = Instant.now();
      kafka.format();
      kafka.startServer();
      log.info("Kafka on port {} after {}", port, Duration.between(begin, Instant.now()));
      return kafka;
    } catch (Exception e) {
      kafka.close();
      throw new SandboxException("Kafka did not start on port %d: %s".formatted(port, e), e);
    }
  }

  @Override
  public String bootstrapServers() {
    return "127.0.0.1:" + port;
  }

  @Override
  public synchronized void stop() {
    if (server != null) {
      server.shutdown();
      server.awaitShutdown();
      server = null;
    }
  }

  @Override
  public synchronized void restart() {
    if (!Files.exists(directory)) {
      throw new IllegalStateException("the broker on port " + port + " is closed");
    }
    stop();
    startServer();
  }

  @Override
  public synchronized void close() {
    stop();
    RunDirectory.delete(directory);
  }

  private static Map<String, String> settings(
      Map<String, String> extra, Path directory, int brokerPort, Optional<KafkaLogin> login) {
    int controllerPort = FreePorts.next();
    Map<String, String> settings = new HashMap<>(KafkaSettings.with(extra));
    settings.put("process.roles", "broker,controller");
    settings.put("node.id", Integer.toString(NODE_ID));
    settings.put("log.dirs", directory.resolve("log").toString());
    settings.put("controller.quorum.voters", "%d@127.0.0.1:%d".formatted(NODE_ID, controllerPort));
    settings.put("controller.listener.names", CONTROLLER);
    String controller = "%s://127.0.0.1:%d".formatted(CONTROLLER, controllerPort);
    settings.put("listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT");
    settings.put("listeners", "PLAINTEXT://127.0.0.1:%d,%s".formatted(brokerPort, controller));
    settings.put("advertised.listeners", "PLAINTEXT://127.0.0.1:" + brokerPort);
    login.ifPresent(
        user -> settings.putAll(user.settings(brokerPort, FreePorts.next(), controller)));
    return Map.copyOf(settings);
  }

  /** Writes the cluster id into the empty log directory, as {@code kafka-storage.sh format}. */
  private void format() throws Exception {
    Files.createDirectories(Path.of(settings.get("log.dirs")));
    try (PrintStream silent =
        new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8)) {
      Formatter formatter =
          new Formatter()
              .setPrintStream(silent)
              .setNodeId(NODE_ID)
              .setClusterId(Uuid.randomUuid().toString())
              .setControllerListenerName(CONTROLLER)
              .addDirectory(settings.get("log.dirs"));
      login.ifPresent(user -> formatter.setScramArguments(user.scram()));
      formatter.run();
    }
  }

  private void startServer() {
    server = new KafkaRaftServer(KafkaConfig.apply(settings, false), Time.SYSTEM);
    server.startup();
  }
}

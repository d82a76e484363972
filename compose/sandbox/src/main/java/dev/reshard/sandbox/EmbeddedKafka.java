package dev.reshard.sandbox;

import dev.reshard.sandbox.KafkaDirectory.Ports;
import java.io.IOException;
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

  /** Else a controller waits 9 s for the broker that was killed with the process before. */
  private static final Map<String, String> KEPT =
      Map.of("broker.session.timeout.ms", "3000", "broker.heartbeat.interval.ms", "1000");

  private final int port;
  private final Map<String, String> settings;
  private final Optional<KafkaLogin> login;

  /** What becomes of the data's directory in the end. */
  private final Runnable release;

  private KafkaRaftServer server;
  private boolean closed;

  private EmbeddedKafka(
      int port, Map<String, String> settings, Optional<KafkaLogin> login, Runnable release) {
    this.port = port;
    this.settings = settings;
    this.login = login;
    this.release = release;
  }

  /**
   * Starts a broker.
   *
   * @param login whom it lets in; empty: everybody
   */
  static EmbeddedKafka start(Map<String, String> extra, Optional<KafkaLogin> login) {
    Path directory = RunDirectory.create("kafka-");
    Ports ports = Ports.next();
    EmbeddedKafka kafka =
        new EmbeddedKafka(
            ports.broker(),
            settings(extra, directory.resolve("log"), ports, ports.broker(), login),
            login,
            () -> RunDirectory.delete(directory));
    return kafka.begun(kafka::format);
  }

  /**
   * As {@link SandboxKafka#startIn(Path, int)}.
   *
   * @param advertised the port that clients are told; empty: the broker's own
   */
  static EmbeddedKafka startIn(Path path, Optional<Integer> advertised) {
    KafkaDirectory directory;
    try {
      directory = KafkaDirectory.open(path);
    } catch (IOException e) {
      throw new SandboxException("cannot use %s for a broker: %s".formatted(path, e), e);
    }
    Optional<Ports> before = directory.ports();
    Ports ports = before.map(Ports::orNext).orElseGet(Ports::next);
    EmbeddedKafka kafka =
        new EmbeddedKafka(
            ports.broker(),
            settings(
                KEPT, directory.log(), ports, advertised.orElse(ports.broker()), Optional.empty()),
            Optional.empty(),
            directory::release);
    return kafka.begun(
        () -> {
          if (before.isEmpty()) {
            directory.deleteHalfFormatted();
            kafka.format();
          }
          directory.keep(ports);
        });
  }

  /** What has to be done before a server starts. */
  private interface Preparation {
    void run() throws Exception;
  }

  private EmbeddedKafka begun(Preparation preparation) {
    try {
      Instant begin = Instant.now();
      preparation.run();
      startServer();
      log.info("Kafka on port {} after {}", port, Duration.between(begin, Instant.now()));
      return this;
    } catch (Exception e) {
      close();
      throw new SandboxException("Kafka did not start on port %d: %s".formatted(port, e), e);
    }
  }

  @Override
  public String bootstrapServers() {
    return KafkaDirectory.address(port);
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
    if (closed) {
      throw new IllegalStateException("the broker on port " + port + " is closed");
    }
    stop();
    startServer();
  }

  @Override
  public synchronized void close() {
    stop();
    if (!closed) {
      closed = true;
      release.run();
    }
  }

  private static Map<String, String> settings(
      Map<String, String> extra,
      Path logs,
      Ports ports,
      int advertised,
      Optional<KafkaLogin> login) {
    Map<String, String> settings = new HashMap<>(KafkaSettings.with(extra));
    settings.put("process.roles", "broker,controller");
    settings.put("node.id", Integer.toString(NODE_ID));
    settings.put("log.dirs", logs.toString());
    settings.put(
        "controller.quorum.voters", "%d@127.0.0.1:%d".formatted(NODE_ID, ports.controller()));
    settings.put("controller.listener.names", CONTROLLER);
    String controller = "%s://127.0.0.1:%d".formatted(CONTROLLER, ports.controller());
    settings.put("listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT");
    settings.put("listeners", "PLAINTEXT://127.0.0.1:%d,%s".formatted(ports.broker(), controller));
    settings.put("advertised.listeners", "PLAINTEXT://" + KafkaDirectory.address(advertised));
    login.ifPresent(
        user -> settings.putAll(user.settings(ports.broker(), FreePorts.next(), controller)));
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

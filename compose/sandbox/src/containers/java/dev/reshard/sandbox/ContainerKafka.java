package dev.reshard.sandbox;

import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.testcontainers.kafka.KafkaContainer;

/** Kafka in a container. Thread-safe: changes of its state are under this object's lock. */
final class ContainerKafka implements SandboxKafka {
  private static final String IMAGE = "apache/kafka:4.3.1";
  private static final int PORT = 9092;

  private final ContainerProcess process;

  private ContainerKafka(ContainerProcess process) {
    this.process = process;
  }

  static ContainerKafka start(Map<String, String> settings) {
    KafkaContainer container = new KafkaContainer(IMAGE);
    KafkaSettings.with(settings)
        .forEach((name, value) -> container.addEnv(environmentName(name), value));
    ContainerKafka kafka = new ContainerKafka(new ContainerProcess(container, PORT));
    kafka.process.create();
    return kafka;
  }

  @Override
  public String bootstrapServers() {
    return "127.0.0.1:" + process.hostPort();
  }

  @Override
  public synchronized void stop() {
    process.stop();
  }

  @Override
  public synchronized void restart() {
    process.stop();
    process.startAgain(this::describeCluster);
  }

  @Override
  public synchronized void close() {
    process.close();
  }

  private void describeCluster() throws Exception {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrapServers()))) {
      admin.describeCluster().nodes().get(5, TimeUnit.SECONDS);
    }
  }

  /** The image reads {@code log.dirs} from {@code KAFKA_LOG_DIRS}. */
  private static String environmentName(String setting) {
    return "KAFKA_" + setting.replace('.', '_').toUpperCase(Locale.ROOT);
  }
}

package dev.reshard.sandbox;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * One real Kafka broker, in KRaft mode with its own controller, reached in plaintext over loopback.
 *
 * <p>Topics are created on request only, and have one replica. What a producer got an
 * acknowledgement for survives {@link #stop} and {@link #restart}, and the death of the process
 * that runs the broker; it is in the page cache then, so it does not survive a power loss. A topic
 * that must is created with {@code flush.messages=1}; measured on two cores, an acknowledgement
 * then took 0.2 to 0.3 ms longer, and between a half and a fifth as many records passed per second.
 *
 * <p>Thread-safe, except that {@link #stop}, {@link #restart} and {@link #close} wait for each
 * other.
 */
public interface SandboxKafka extends AutoCloseable {
  /** Starts a broker with the current {@linkplain SandboxEngine engine}. */
  static SandboxKafka start() {
    return start(Map.of());
  }

  /**
   * Starts a broker with the current {@linkplain SandboxEngine engine}.
   *
   * @param settings broker settings by name; they override ours
   * @throws SandboxException if it does not start
   */
  static SandboxKafka start(Map<String, String> settings) {
    return SandboxEngine.current().startKafka(settings);
  }

  /**
   * Starts an embedded broker that lets clients in by SASL_PLAINTEXT with SCRAM-SHA-512 only.
   *
   * @throws SandboxException if it does not start
   */
  static SandboxKafka startWithLogin(String user, String password) {
    return EmbeddedKafka.start(Map.of(), Optional.of(new KafkaLogin(user, password)));
  }

  /**
   * Starts an embedded broker on what an earlier one left in {@code directory}, however its process
   * ended: with the same cluster id and topics, and at the same address if it is still free. {@link
   * #close} keeps the data.
   *
   * @param directory is made if it is not there
   * @throws SandboxException if it does not start, or another process runs a broker there
   */
  static SandboxKafka startIn(Path directory) {
    return EmbeddedKafka.startIn(directory, Optional.empty());
  }

  /**
   * The same, and tells clients to come by another port of this machine, where a {@link
   * TcpProxy#toBrokerIn} of any process listens.
   */
  static SandboxKafka startIn(Path directory, int advertisedPort) {
    return EmbeddedKafka.startIn(directory, Optional.of(advertisedPort));
  }

  /**
   * Where the broker of {@link #startIn} is reached while it runs; empty if there never was one.
   */
  static Optional<String> addressIn(Path directory) {
    return KafkaDirectory.address(directory);
  }

  /** Stays the same over {@link #restart}. */
  String bootstrapServers();

  /** Stops the broker and keeps its data, for tests of a broker that goes away. Idempotent. */
  void stop();

  /** Starts the broker again on the same data and port, after stopping it if it is up. */
  void restart();

  /** Stops the broker and deletes its data, unless they are in the caller's own. Idempotent. */
  @Override
  void close();
}

package dev.reshard.fault;

import dev.reshard.sandbox.SandboxKafka;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** A broker in a process of its own, so that it can be killed. Confined to one thread. */
final class BrokerProcess implements AutoCloseable {
  private static final String READY = "the broker is ready";

  private final Path directory;
  private final int advertisedPort;
  private Process process;

  private BrokerProcess(Path directory, int advertisedPort) {
    this.directory = directory;
    this.advertisedPort = advertisedPort;
  }

  /**
   * Starts a broker.
   *
   * @param directory keeps its data from one process to the next
   * @param advertisedPort where clients are told to find it
   */
  static BrokerProcess start(Path directory, int advertisedPort) throws IOException {
    BrokerProcess broker = new BrokerProcess(directory, advertisedPort);
    broker.start();
    return broker;
  }

  /** Starts it, again after {@link #kill}, on its data; returns when it takes connections. */
  void start() throws IOException {
    process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                BrokerProcess.class.getName(),
                directory.toString(),
                Integer.toString(advertisedPort))
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    BufferedReader said =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    StringBuilder all = new StringBuilder();
    for (String line = said.readLine(); !READY.equals(line); line = said.readLine()) {
      if (line == null) {
        throw new IOException("the broker did not start: " + all);
      }
      all.append(line).append('\n');
    }
    Thread reader = new Thread(() -> said.lines().forEach(line -> {}), "broker-output");
    reader.setDaemon(true);
    reader.start();
  }

  /** As {@code kill -9}. */
  void kill() throws InterruptedException {
    process.destroyForcibly().waitFor();
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }

  /** The child: runs until it is killed, or its parent is gone. */
  public static void main(String[] words) throws IOException {
    SandboxKafka broker = SandboxKafka.startIn(Path.of(words[0]), Integer.parseInt(words[1]));
    System.out.println(READY);
    System.out.flush();
    while (System.in.read() >= 0) {
      // nobody says anything; the end means that the parent has ended
    }
    Runtime.getRuntime().halt(broker.bootstrapServers().isEmpty() ? 1 : 0);
  }
}

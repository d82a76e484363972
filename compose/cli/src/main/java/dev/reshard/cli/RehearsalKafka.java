package dev.reshard.cli;

import dev.reshard.control.RefusedException;
import dev.reshard.preflight.Check;
import dev.reshard.preflight.Finding;
import dev.reshard.sandbox.SandboxException;
import dev.reshard.sandbox.SandboxKafka;
import dev.reshard.spec.Spec;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The broker that lives in the worker when the file says {@code kafka: embedded}. Its data lie in a
 * directory beside the migration file, so that the next worker goes on with them; where it listens
 * is written there too. Immutable.
 *
 * @param directory may not be there yet
 */
record RehearsalKafka(Path directory) {
  private static final int CONNECT_MS = 2_000;

  static RehearsalKafka beside(Path file) {
    return new RehearsalKafka(file.resolveSibling(file.getFileName() + ".kafka"));
  }

  /**
   * Starts it on what an earlier worker left, or anew.
   *
   * @throws RefusedException if another process still has the directory, or it cannot start
   */
  SandboxKafka start() {
    try {
      return SandboxKafka.startIn(directory);
    } catch (SandboxException e) {
      throw new RefusedException(e.getMessage());
    }
  }

  /**
   * To be asked once a migration has begun: a broker that begins anew has none of its changes.
   *
   * @throws RefusedException if the directory is not here
   */
  void requireHere() {
    if (!Files.isDirectory(directory)) {
      throw new RefusedException(isElsewhere() + "; " + remedy());
    }
  }

  private String isElsewhere() {
    return "kafka is embedded, and the migration has begun with a broker whose data are not here: there is no directory %s"
        .formatted(directory);
  }

  private String remedy() {
    return "run it on that host and beside that file. If the data are lost: make an empty directory of that name, 'run', and 'reshard cancel'";
  }

  /** In the place of what a check asks of brokers. */
  Check check(boolean begun) {
    return new Check() {
      @Override
      public String name() {
        return "Kafka";
      }

      @Override
      public List<Finding> look() {
        if (begun && !Files.isDirectory(directory)) {
          return List.of(Finding.blocker(isElsewhere()).todo(remedy()));
        }
        return List.of(
            Finding.note(
                    "kafka is embedded, for a rehearsal: the broker starts with 'run' and lives in the worker, its data in %s; they outlive a worker that is killed, not a power loss"
                        .formatted(directory))
                .todo("name your brokers before it counts"));
      }
    };
  }

  /**
   * The same migration, for who reads its topics.
   *
   * @throws NoBrokerException if no worker runs it here
   */
  Spec reaching(Spec spec) throws NoBrokerException {
    String address =
        SandboxKafka.addressIn(directory).orElseThrow(() -> new NoBrokerException(directory));
    String[] words = address.split(":", -1);
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(words[0], Integer.parseInt(words[1])), CONNECT_MS);
    } catch (IOException e) {
      throw new NoBrokerException(directory);
    }
    return spec.reachingKafka(address);
  }

  /** What is left to do once the migration is CLEANED. */
  String farewell() {
    return "the broker ends with the worker; then delete %s, which nobody needs any more"
        .formatted(directory);
  }

  /** The broker lives in a worker, and none runs here. */
  static final class NoBrokerException extends Exception {
    private static final long serialVersionUID = 1L;

    NoBrokerException(Path directory) {
      super(
          "kafka is embedded: topics can be read only while a worker runs on this host with %s; start 'reshard run'"
              .formatted(directory));
    }
  }
}

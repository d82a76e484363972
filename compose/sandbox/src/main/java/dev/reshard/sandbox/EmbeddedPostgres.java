package dev.reshard.sandbox;

import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A PostgreSQL server as a child process of this one, with its data in a temporary directory.
 *
 * <p>Thread-safe: changes of the server's state are under this object's lock.
 */
final class EmbeddedPostgres implements SandboxPostgres {
  private static final Logger log = LoggerFactory.getLogger(EmbeddedPostgres.class);

  /** Generous: crash recovery is part of a start, and the machine may be busy. */
  private static final Duration START_TIMEOUT = Duration.ofSeconds(60);

  private static final int LOG_TAIL_LINES = 30;

  /** The first major with a locale provider of its own; older ones have the system's. */
  private static final int BUILTIN_LOCALES = 17;

  private final PostgresBinaries binaries;
  private final Path directory;
  private final Path data;
  private final Path serverLog;
  private final int port;
  private Process server;

  private EmbeddedPostgres(PostgresBinaries binaries, Path directory, int port) {
    this.binaries = binaries;
    this.directory = directory;
    this.data = directory.resolve("data");
    this.serverLog = directory.resolve("server.log");
    this.port = port;
  }

  static EmbeddedPostgres start(PostgresBinaries binaries, Map<String, String> settings) {
    EmbeddedPostgres postgres =
        new EmbeddedPostgres(binaries, RunDirectory.create("postgres-"), FreePorts.next());
    try {
      Instant begin = Instant.now();
      postgres.initialize(settings);
      postgres.startServer();
      log.info(
          "PostgreSQL {} on port {} after {}",
          binaries.major(),
          postgres.port,
          Duration.between(begin, now()));
      return postgres;
    } catch (IOException | RuntimeException e) {
      postgres.close();
      throw e instanceof SandboxException known
          ? known
          : new SandboxException("PostgreSQL did not start: " + e.getMessage(), e);
    }
  }

  @Override
  public String host() {
    return "127.0.0.1";
  }

  @Override
  public int port() {
    return port;
  }

  @Override
  public synchronized void kill() {
    Postmaster.of(data).ifPresent(Postmaster::kill);
    server = null;
  }

  @Override
  public synchronized void restart() {
    if (!Files.exists(data)) {
      throw new IllegalStateException("the server on port " + port + " is closed");
    }
    try {
      stopServer("fast");
      startServer();
    } catch (IOException e) {
      throw new SandboxException("PostgreSQL did not restart: " + e.getMessage(), e);
    }
  }

  @Override
  public synchronized void close() {
    try {
      // No checkpoint, for the data goes; but unlike SIGKILL it gives back the shared memory.
      stopServer("immediate");
    } catch (IOException | RuntimeException e) {
      log.warn("killing the server on port {}, which did not stop", port, e);
      kill();
    }
    RunDirectory.delete(directory);
  }

  private void initialize(Map<String, String> settings) throws IOException {
    Path password = directory.resolve("password");
    Files.writeString(password, SandboxRole.SUPERUSER.password());
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "--pgdata=" + data,
                "--username=" + SandboxRole.SUPERUSER.user(),
                "--pwfile=" + password,
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                // Of the empty cluster only; commits are synced, see PostgresSettings.
                "--no-sync"));
    if (binaries.major() >= BUILTIN_LOCALES) {
      arguments.addAll(List.of("--locale-provider=builtin", "--builtin-locale=C.UTF-8"));
    }
    run("initdb", arguments.toArray(String[]::new));
    Files.delete(password);
    Map<String, String> all = new LinkedHashMap<>(PostgresSettings.with(settings));
    all.put("port", Integer.toString(port));
    all.put("listen_addresses", host());
    all.put("unix_socket_directories", "");
    Files.writeString(
        data.resolve("postgresql.conf"), PostgresSettings.asConf(all), StandardOpenOption.APPEND);
  }

  private void startServer() throws IOException {
    server = process("postgres", "-D", data.toString()).start();
    Instant deadline = now().plus(START_TIMEOUT);
    SQLException last = null;
    while (now().isBefore(deadline)) {
      if (!server.isAlive()) {
        throw new SandboxException("PostgreSQL gave up at its start:\n" + logTail());
      }
      try (Connection connection = superuserConnection("postgres")) {
        if (connection.isValid(0)) {
          return;
        }
      } catch (SQLException notYet) {
        last = notYet;
      }
      Pause.milliseconds(20);
    }
    throw new SandboxException(
        "PostgreSQL does not answer after %s:\n%s".formatted(START_TIMEOUT, logTail()), last);
  }

  private void stopServer(String mode) throws IOException {
    if (server == null || !server.isAlive()) {
      return;
    }
    run("pg_ctl", "stop", "--pgdata=" + data, "--mode=" + mode, "--timeout=20");
    server = null;
  }

  private void run(String program, String... arguments) throws IOException {
    Process process = process(program, arguments).start();
    try {
      if (process.waitFor() != 0) {
        throw new SandboxException("%s failed:\n%s".formatted(program, logTail()));
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
      throw new SandboxException("interrupted while running " + program, e);
    }
  }

  private ProcessBuilder process(String program, String... arguments) {
    return binaries
        .command(program, arguments)
        .redirectOutput(Redirect.appendTo(serverLog.toFile()));
  }

  private String logTail() throws IOException {
    if (!Files.exists(serverLog)) {
      return "(no log)";
    }
    List<String> lines = Files.readAllLines(serverLog);
    return String.join(
        "\n", lines.subList(Math.max(0, lines.size() - LOG_TAIL_LINES), lines.size()));
  }

  private static Instant now() {
    return Instant.now();
  }
}

package dev.reshard.sandbox;

import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A running PostgreSQL server as the operating system sees it: the process that {@code
 * postmaster.pid} names, and its children.
 *
 * <p>Thread-safe.
 */
final class Postmaster {
  private static final Logger log = LoggerFactory.getLogger(Postmaster.class);
  private static final Duration DEATH_TIMEOUT = Duration.ofSeconds(10);

  private final ProcessHandle process;

  private Postmaster(ProcessHandle process) {
    this.process = process;
  }

  /** The server that runs on a data directory, or empty if none does. */
  static Optional<Postmaster> of(Path data) {
    try {
      List<String> lines = Files.readAllLines(data.resolve("postmaster.pid"));
      return ProcessHandle.of(Long.parseLong(lines.get(0).trim()))
          .filter(process -> serves(process, data))
          .map(Postmaster::new);
    } catch (IOException | NumberFormatException | IndexOutOfBoundsException none) {
      return Optional.empty();
    }
  }

  /** Stops the servers of every data directory that is a grandchild of {@code run}. */
  static void stopAllBelow(Path run) throws IOException {
    List<Path> found;
    try (Stream<Path> entries = Files.walk(run, 3)) {
      found = entries.filter(entry -> entry.endsWith("postmaster.pid")).toList();
    }
    for (Path pidFile : found) {
      Path data = pidFile.getParent();
      if (of(data).isPresent()) {
        log.info("stopping the server left running in {}", data);
        stop(data);
      }
      of(data).ifPresent(Postmaster::kill);
    }
  }

  /** Without a checkpoint, but giving back the shared memory, which SIGKILL does not. */
  private static void stop(Path data) throws IOException {
    Process stop =
        PostgresBinaries.ofBuild() // any major's pg_ctl stops any other's server
            .command("pg_ctl", "stop", "--pgdata=" + data, "--mode=immediate")
            .redirectOutput(Redirect.DISCARD)
            .start();
    try {
      stop.waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * SIGKILL to the postmaster, then to its children, as when a machine goes down: no checkpoint, no
   * farewell to clients. Returns when they are dead.
   *
   * @throws SandboxException if they still run after ten seconds
   */
  void kill() {
    // The postmaster first: had a child died before it, it would begin a recovery of its own.
    List<ProcessHandle> doomed = new ArrayList<>();
    doomed.add(process);
    process.descendants().forEach(doomed::add);
    doomed.forEach(ProcessHandle::destroyForcibly);
    Instant deadline = Instant.now().plus(DEATH_TIMEOUT);
    for (ProcessHandle victim : doomed) {
      while (!isDead(victim)) {
        if (Instant.now().isAfter(deadline)) {
          throw new SandboxException("process " + victim.pid() + " survives SIGKILL");
        }
        Pause.milliseconds(5);
      }
    }
  }

  /**
   * Also when its parent has not taken note yet: orphans wait for process 1, for seconds or ever.
   */
  private static boolean isDead(ProcessHandle victim) {
    if (!victim.isAlive()) {
      return true;
    }
    try {
      String stat = Files.readString(Path.of("/proc", Long.toString(victim.pid()), "stat"));
      // Its third field, after the name in parentheses: Z is a zombie.
      return stat.startsWith(") Z", stat.lastIndexOf(')'));
    } catch (IOException gone) {
      return true;
    }
  }

  /** A process id is used again in time: only a postgres with our data directory is ours. */
  private static boolean serves(ProcessHandle process, Path data) {
    return process
        .info()
        .commandLine()
        .filter(line -> line.contains("postgres") && line.contains(data.toString()))
        .isPresent();
  }
}

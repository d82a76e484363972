package dev.reshard.cli;

import dev.reshard.Reshard;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * {@code reshard run} in a process of its own, so that it can be killed. Confined to one thread.
 */
public final class WorkerProcess implements AutoCloseable {
  private static final long STOP_LIMIT_S = 30;

  /** Enough for what most tests do. */
  private static final int HEAP_MB = 256;

  private final Process process;
  private final Path said;

  private WorkerProcess(Process process, Path said) {
    this.process = process;
    this.said = said;
  }

  /**
   * Starts a worker, which writes what it says and logs beside the file.
   *
   * @param file the migration file
   * @param options of {@code run}
   */
  public static WorkerProcess start(Path file, String... options) throws IOException {
    return startWithHeap(HEAP_MB, file, options);
  }

  /** As {@link #start}, with so many MiB of heap. */
  static WorkerProcess startWithHeap(int heapMb, Path file, String... options) throws IOException {
    Path folder = file.toAbsolutePath().getParent();
    Path said = Files.createTempFile(folder, "worker", ".out");
    ProcessBuilder builder =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx%dm".formatted(heapMb),
                "-XX:+UseSerialGC", // as compose/reshard starts it
                "-XX:TieredStopAtLevel=1", // it lives for seconds
                "-cp",
                System.getProperty("java.class.path"),
                Reshard.class.getName(),
                "run",
                "-f",
                file.toString())
            .redirectErrorStream(true)
            .redirectOutput(said.toFile());
    builder.command().addAll(List.of(options));
    builder.environment().put("RESHARD_LOG", folder.resolve("worker.log").toString());
    return new WorkerProcess(builder.start(), said);
  }

  /** Waits until it has said something, which it must do before it ends. */
  public void awaitSaid(String words) throws IOException, InterruptedException {
    boolean alive = true;
    for (String text = ""; !text.contains(words); text = Files.readString(said)) {
      if (!alive) {
        throw new AssertionError("it ended and said no '%s': %s".formatted(words, text));
      }
      alive = process.isAlive(); // asked before its last words are read
      TimeUnit.MILLISECONDS.sleep(50); // between two looks
    }
  }

  /** What it said, if it has ended by itself; empty while it lives. */
  public Optional<String> farewell() throws IOException {
    return process.isAlive()
        ? Optional.empty()
        : Optional.of("exit code %d%n%s".formatted(process.exitValue(), Files.readString(said)));
  }

  /** All that it has said so far. */
  String said() throws IOException {
    return Files.readString(said);
  }

  boolean isAlive() {
    return process.isAlive();
  }

  long pid() {
    return process.pid();
  }

  /** As {@code kill -9}. */
  public void kill() throws InterruptedException {
    process.destroyForcibly().waitFor();
  }

  /** Freezes it ({@code STOP}) or lets it go on ({@code CONT}). */
  public void signal(String name) throws IOException, InterruptedException {
    new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start().waitFor();
  }

  /** Waits for its own end; the exit code. */
  public int awaitEnd() throws InterruptedException {
    return process.waitFor();
  }

  /** Ends it as SIGTERM does, or kills it. */
  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(STOP_LIMIT_S, TimeUnit.SECONDS)) {
        kill();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}

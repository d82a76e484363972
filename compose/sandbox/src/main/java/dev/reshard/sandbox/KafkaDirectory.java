package dev.reshard.sandbox;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Optional;

/**
 * A directory of the caller's in which a broker's data stay from one process to the next, with the
 * ports it is reached at. One process at a time has it: a lock file says which, and is free when
 * that process ends, however it does.
 *
 * <p>Confined to one thread, save {@link #address}.
 */
final class KafkaDirectory {
  private static final String LOCK = "owner.lock";

  /** Broker's and controller's; there once the log directory is formatted. */
  private static final String PORTS = "ports";

  /** The broker of a worker that is just ending takes some seconds to stop. */
  private static final Duration LOCK_LIMIT = Duration.ofSeconds(15);

  private static final long LOOK_MS = 100;

  private final Path path;
  private final FileLock lock;

  private KafkaDirectory(Path path, FileLock lock) {
    this.path = path;
    this.lock = lock;
  }

  /**
   * Takes the directory, and makes it if need be.
   *
   * @throws SandboxException naming the process that has it
   */
  static KafkaDirectory open(Path path) throws IOException {
    Files.createDirectories(path);
    Path file = path.resolve(LOCK);
    FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    try {
      FileLock lock = lock(channel, file);
      channel.truncate(0);
      channel.write(
          ByteBuffer.wrap(
              Long.toString(ProcessHandle.current().pid()).getBytes(StandardCharsets.UTF_8)));
      return new KafkaDirectory(path, lock);
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  private static FileLock lock(FileChannel channel, Path file) throws IOException {
    long deadline = System.nanoTime() + LOCK_LIMIT.toNanos();
    while (true) {
      Optional<FileLock> lock = tryLock(channel);
      if (lock.isPresent()) {
        return lock.get();
      }
      if (System.nanoTime() > deadline) {
        throw new SandboxException(
            "process %s still runs the broker of %s; end that process first"
                .formatted(Files.readString(file), file.getParent()));
      }
      Pause.milliseconds(LOOK_MS);
    }
  }

  private static Optional<FileLock> tryLock(FileChannel channel) throws IOException {
    try {
      return Optional.ofNullable(channel.tryLock());
    } catch (OverlappingFileLockException e) {
      return Optional.empty(); // another broker of this process has it
    }
  }

  /** Where the broker whose data are in {@code path} is reached, if it runs. */
  static Optional<String> address(Path path) {
    return brokerPort(path).map(KafkaDirectory::address);
  }

  /** Of its address. */
  static Optional<Integer> brokerPort(Path path) {
    return Ports.read(path).map(Ports::broker);
  }

  static String address(int port) {
    return "127.0.0.1:" + port;
  }

  Path log() {
    return path.resolve("log");
  }

  /** Those of the last time where nobody else took them; empty if nothing was ever formatted. */
  Optional<Ports> ports() {
    return Ports.read(path);
  }

  /** To be called once the log directory is formatted. */
  void keep(Ports ports) throws IOException {
    Path draft = path.resolve(PORTS + ".new");
    Files.writeString(draft, ports.broker + " " + ports.controller);
    Files.move(draft, path.resolve(PORTS), StandardCopyOption.ATOMIC_MOVE);
  }

  /** What was being formatted when its process ended is of no use. */
  void deleteHalfFormatted() throws IOException {
    RunDirectory.deleteTree(log());
  }

  /** Lets the next process have it. */
  void release() {
    try {
      lock.acquiredBy().close();
    } catch (IOException e) {
      throw new SandboxException("cannot release " + path, e);
    }
  }

  /** Loopback ports of a broker and its controller. */
  record Ports(int broker, int controller) {
    static Ports next() {
      return new Ports(FreePorts.next(), FreePorts.next());
    }

    /** The same, save what somebody else listens on now. */
    Ports orNext() {
      return new Ports(FreePorts.orNext(broker), FreePorts.orNext(controller));
    }

    private static Optional<Ports> read(Path directory) {
      try {
        String[] words = Files.readString(directory.resolve(PORTS)).split(" ", -1);
        return Optional.of(new Ports(Integer.parseInt(words[0]), Integer.parseInt(words[1])));
      } catch (NoSuchFileException e) {
        return Optional.empty();
      } catch (IOException e) {
        throw new SandboxException("cannot read " + directory.resolve(PORTS), e);
      }
    }
  }
}

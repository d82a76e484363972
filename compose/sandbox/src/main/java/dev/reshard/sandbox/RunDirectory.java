package dev.reshard.sandbox;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * This process's own directory below {@code java.io.tmpdir}, or in memory if tests ask for it, in
 * which its servers keep their data.
 *
 * <p>A lock file, held for as long as the process lives, tells a directory in use from one whose
 * owner was killed. The first server that a process starts stops the servers that such owners left
 * running and deletes their files.
 *
 * <p>Thread-safe.
 */
final class RunDirectory {
  private static final Logger log = LoggerFactory.getLogger(RunDirectory.class);
  private static final String LOCK = "owner.lock";

  /** Linux' file system in memory, where waiting for a disk costs nothing. */
  private static final Path MEMORY = Path.of("/dev/shm");

  private static final long ROOMY_BYTES = 4L << 30;

  /**
   * Name of the system property that tests set to {@code true}: servers keep their data in memory,
   * if there is enough. They flush as ever, so what they promise a client stays the same.
   */
  static final String IN_MEMORY = "reshard.sandbox.in-memory";

  private static RunDirectory current;

  private final Path root;
  private final Path path;

  /** Held until the process ends; the field keeps the channel from being collected. */
  private final FileLock lock;

  private RunDirectory(Path root, Path path, FileLock lock) {
    this.root = root;
    this.path = path;
    this.lock = lock;
  }

  /**
   * A new empty directory for one server.
   *
   * @param prefix what the directory's name begins with
   */
  static synchronized Path create(String prefix) {
    try {
      if (current == null) {
        current = open();
      }
      if (!current.lock.isValid()) {
        throw new IllegalStateException("lost the lock of " + current.path);
      }
      return Files.createTempDirectory(current.path, prefix);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot create a directory for " + prefix, e);
    }
  }

  /**
   * Deletes a directory that {@link #create} made, and with the last of them this process's own. A
   * file that stays is logged, not thrown.
   */
  static synchronized void delete(Path directory) {
    try {
      deleteTree(directory);
      if (current != null && current.isEmpty()) {
        current.remove();
        current = null;
      }
    } catch (IOException e) {
      log.warn("could not delete {}", directory, e);
    }
  }

  /** What outlives processes, such as unpacked binaries: a directory of this user's, on disk. */
  static Path onDisk() throws IOException {
    return ofUser(Path.of(System.getProperty("java.io.tmpdir")));
  }

  private static Path root() throws IOException {
    return isMemoryRoomy() ? ofUser(MEMORY) : onDisk();
  }

  private static Path ofUser(Path parent) throws IOException {
    return Files.createDirectories(
        parent.resolve("reshard-sandbox-" + System.getProperty("user.name")));
  }

  private static boolean isMemoryRoomy() throws IOException {
    return Boolean.getBoolean(IN_MEMORY)
        && Files.isWritable(MEMORY)
        && Files.getFileStore(MEMORY).getUsableSpace() > ROOMY_BYTES;
  }

  /**
   * The root's lock keeps others from sweeping a directory that is not locked yet, or half gone.
   */
  private static RunDirectory open() throws IOException {
    Path root = root();
    try (FileChannel channel = openLock(root)) {
      FileLock outer = channel.lock();
      sweep(root);
      Path path = Files.createTempDirectory(root, "run-");
      FileLock lock = openLock(path).lock();
      outer.release();
      return new RunDirectory(root, path, lock);
    }
  }

  private boolean isEmpty() throws IOException {
    try (Stream<Path> entries = Files.list(path)) {
      return entries.allMatch(entry -> entry.endsWith(LOCK));
    }
  }

  private void remove() throws IOException {
    try (FileChannel channel = openLock(root)) {
      FileLock outer = channel.lock();
      deleteTree(path);
      lock.acquiredBy().close();
      outer.release();
    }
  }

  private static FileChannel openLock(Path directory) throws IOException {
    return FileChannel.open(
        directory.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
  }

  private static void sweep(Path root) throws IOException {
    List<Path> runs;
    try (Stream<Path> entries = Files.list(root)) {
      runs = entries.filter(entry -> entry.getFileName().toString().startsWith("run-")).toList();
    }
    for (Path run : runs) {
      try (FileChannel channel = openLock(run);
          FileLock lock = channel.tryLock()) {
        if (lock != null) {
          log.info("removing {}, whose owner is gone", run);
          Postmaster.stopAllBelow(run);
          deleteTree(run);
        }
      }
    }
  }

  /** Takes no lock: also for files that are in no process's own directory. */
  static void deleteTree(Path directory) throws IOException {
    if (!Files.exists(directory, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    List<Path> doomed;
    try (Stream<Path> entries = Files.walk(directory)) {
      doomed = new ArrayList<>(entries.toList());
    }
    doomed.sort(Comparator.reverseOrder());
    for (Path entry : doomed) {
      Files.deleteIfExists(entry);
    }
  }
}

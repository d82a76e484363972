package dev.reshard.sandbox;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.tukaani.xz.XZInputStream;

/**
 * The {@code initdb}, {@code pg_ctl} and {@code postgres} of one PostgreSQL, unpacked from zonky's
 * binaries once per machine and kept for later processes.
 *
 * <p>Zonky's own {@code EmbeddedPostgres} is not used to run them: it cannot start a second time on
 * a data directory whose server was killed, and it authenticates nobody.
 *
 * <p>Thread-safe.
 */
final class PostgresBinaries {
  /** By major; that of the class path is in it twice. */
  private static final Map<OptionalInt, PostgresBinaries> UNPACKED = new HashMap<>();

  private static final Pattern VERSION = Pattern.compile("\\) (\\d+)");

  private final Path directory;
  private final int major;

  private PostgresBinaries(Path directory) throws IOException {
    this.directory = directory;
    this.major = readMajor(directory);
  }

  /**
   * Those on the class path.
   *
   * @throws SandboxException if this platform has none
   */
  static PostgresBinaries ofBuild() {
    return find(OptionalInt.empty());
  }

  /**
   * Those of one major.
   *
   * @throws SandboxException if they are neither on the class path nor where the profile {@code
   *     matrix} puts them
   */
  static PostgresBinaries of(int major) {
    return find(OptionalInt.of(major));
  }

  private static synchronized PostgresBinaries find(OptionalInt major) {
    PostgresBinaries known = UNPACKED.get(major);
    if (known != null) {
      return known;
    }
    requirePlatform();
    try {
      PostgresBinaries binaries = new PostgresBinaries(unpack(PostgresArchive.onClassPath()));
      UNPACKED.putIfAbsent(OptionalInt.empty(), binaries);
      UNPACKED.putIfAbsent(OptionalInt.of(binaries.major), binaries);
      if (!UNPACKED.containsKey(major)) {
        UNPACKED.put(
            major, new PostgresBinaries(unpack(PostgresArchive.ofMajor(major.getAsInt()))));
      }
      return UNPACKED.get(major);
    } catch (IOException e) {
      throw new SandboxException("cannot unpack PostgreSQL: " + e.getMessage(), e);
    }
  }

  /** 17, say. */
  int major() {
    return major;
  }

  /**
   * One of the programs, ready to start. As root it gets a user namespace of its own ({@code
   * unshare -U}), where root is nobody, since PostgreSQL refuses to run as root. {@code setsid}
   * keeps a Ctrl-C in the terminal from reaching a server before whatever uses it has closed down.
   */
  ProcessBuilder command(String program, String... arguments) {
    List<String> command = new ArrayList<>(List.of("setsid"));
    if (System.getProperty("user.name").equals("root")) {
      command.addAll(List.of("unshare", "-U"));
    }
    command.add(directory.resolve("bin").resolve(program).toString());
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("LC_ALL", "C");
    return builder.redirectInput(new File("/dev/null")).redirectErrorStream(true);
  }

  /** What {@code postgres --version} says: "postgres (PostgreSQL) 17.11". */
  private static int readMajor(Path directory) throws IOException {
    Process process =
        new ProcessBuilder(directory.resolve("bin/postgres").toString(), "--version").start();
    String line = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    Matcher version = VERSION.matcher(line);
    if (!version.find()) {
      throw new IOException("postgres --version says '%s'".formatted(line));
    }
    return Integer.parseInt(version.group(1));
  }

  private static void requirePlatform() {
    String platform = System.getProperty("os.name") + " " + System.getProperty("os.arch");
    if (!platform.equals("Linux amd64")) {
      throw new SandboxException(
          ("the embedded sandbox needs Linux amd64, this is %s; build with -Pcontainers and run with"
                  + " -D%s=containers")
              .formatted(platform, SandboxEngine.PROPERTY));
    }
  }

  /** Unpacks beside the final place and renames, so that concurrent processes need no lock. */
  private static Path unpack(PostgresArchive archive) throws IOException {
    Path target = RunDirectory.onDisk().resolve("postgres-" + checksum(archive));
    if (Files.isDirectory(target)) {
      return target;
    }
    Path scratch = Files.createTempDirectory(target.getParent(), "unpacking-");
    try (InputStream in = archive.open();
        XZInputStream xz = new XZInputStream(in);
        TarArchiveInputStream tar = new TarArchiveInputStream(xz)) {
      for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
        write(tar, entry, scratch);
      }
    }
    try {
      Files.move(scratch, target, StandardCopyOption.ATOMIC_MOVE);
    } catch (FileSystemException e) {
      RunDirectory.deleteTree(scratch);
      if (!Files.isDirectory(target)) {
        throw e;
      }
      // Another process was faster.
    }
    return target;
  }

  private static void write(TarArchiveInputStream tar, TarArchiveEntry entry, Path root)
      throws IOException {
    Path file = root.resolve(entry.getName()).normalize();
    if (!file.startsWith(root)) {
      throw new IOException("archive entry outside of its root: " + entry.getName());
    }
    if (entry.isDirectory()) {
      Files.createDirectories(file);
      return;
    }
    Files.createDirectories(file.getParent());
    if (entry.isSymbolicLink()) {
      Files.createSymbolicLink(file, Path.of(entry.getLinkName()));
    } else {
      Files.copy(tar, file);
      String mode = file.getParent().endsWith("bin") ? "rwxr-xr-x" : "rw-r--r--";
      Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(mode));
    }
  }

  private static String checksum(PostgresArchive archive) throws IOException {
    try (InputStream in = archive.open()) {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      byte[] buffer = new byte[1 << 16];
      for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
        digest.update(buffer, 0, read);
      }
      return HexFormat.of().formatHex(digest.digest(), 0, 8);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}

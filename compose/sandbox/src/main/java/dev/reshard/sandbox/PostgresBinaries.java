package dev.reshard.sandbox;

import java.io.BufferedInputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.tukaani.xz.XZInputStream;

/**
 * PostgreSQL's {@code initdb}, {@code pg_ctl} and {@code postgres}, unpacked from the zonky
 * binaries on the class path once per machine and kept for later processes.
 *
 * <p>Zonky's own {@code EmbeddedPostgres} is not used to run them: it cannot start a second time on
 * a data directory whose server was killed, and it authenticates nobody.
 *
 * <p>Thread-safe.
 */
final class PostgresBinaries {
  private static final String ARCHIVE = "/postgres-linux-x86_64.txz";

  private static Path unpacked;

  private PostgresBinaries() {}

  /**
   * One of the programs, ready to start. As root it gets a user namespace of its own ({@code
   * unshare -U}), where root is nobody, since PostgreSQL refuses to run as root. {@code setsid}
   * keeps a Ctrl-C in the terminal from reaching a server before whatever uses it has closed down.
   *
   * @throws SandboxException if this platform has none
   */
  static ProcessBuilder command(String program, String... arguments) {
    List<String> command = new ArrayList<>(List.of("setsid"));
    if (System.getProperty("user.name").equals("root")) {
      command.addAll(List.of("unshare", "-U"));
    }
    command.add(directory().resolve("bin").resolve(program).toString());
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("LC_ALL", "C");
    return builder.redirectInput(new File("/dev/null")).redirectErrorStream(true);
  }

  private static synchronized Path directory() {
    if (unpacked == null) {
      requirePlatform();
      try {
        unpacked = unpack();
      } catch (IOException e) {
        throw new SandboxException("cannot unpack PostgreSQL: " + e.getMessage(), e);
      }
    }
    return unpacked;
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
  private static Path unpack() throws IOException {
    Path target = RunDirectory.onDisk().resolve("postgres-" + checksum());
    if (Files.isDirectory(target)) {
      return target;
    }
    Path scratch = Files.createTempDirectory(target.getParent(), "unpacking-");
    try (InputStream in = open();
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

  private static String checksum() throws IOException {
    try (InputStream in = open()) {
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

  private static InputStream open() throws IOException {
    InputStream in = PostgresBinaries.class.getResourceAsStream(ARCHIVE);
    if (in == null) {
      throw new IOException(ARCHIVE + " is not on the class path");
    }
    return new BufferedInputStream(in, 1 << 16);
  }
}

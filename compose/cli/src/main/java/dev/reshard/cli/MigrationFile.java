package dev.reshard.cli;

import dev.reshard.cli.RehearsalKafka.NoBrokerException;
import dev.reshard.spec.Spec;
import dev.reshard.spec.SpecException;
import dev.reshard.spec.SpecReader;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/** The options that every command about a migration takes. Confined to one thread. */
final class MigrationFile {
  @Option(
      names = {"-f", "--file"},
      paramLabel = "FILE",
      description = "the migration file (default: $RESHARD_FILE, then ./migration.yaml)")
  private Path file;

  @Option(
      names = "-v",
      description = "log to the terminal too",
      scope = picocli.CommandLine.ScopeType.INHERIT)
  void verbose(boolean verbose) {
    if (verbose) {
      Logging.toTerminal();
    }
  }

  Spec read() {
    Spec spec = SpecReader.read(path());
    Logging.toFile();
    return spec;
  }

  /** Reads the file, and puts the modules together for it. */
  Wiring open() {
    return open(read());
  }

  Wiring open(Spec spec) {
    return new Wiring(spec, path());
  }

  /**
   * Reads the file and compares its migration with the name that was typed.
   *
   * @throws SpecException if they differ: a pasted command must not hit the wrong migration
   */
  Spec read(String name) {
    Spec spec = read();
    if (!spec.migration().equals(name)) {
      throw new SpecException(
          path().toString(),
          List.of("it is about migration %s, but you named %s".formatted(spec.migration(), name)));
    }
    return spec;
  }

  /** The broker in the worker, for a file that asks for one. */
  RehearsalKafka rehearsalKafka() {
    return RehearsalKafka.beside(path());
  }

  /**
   * The file, for who reads topics.
   *
   * @throws NoBrokerException if the broker lives in a worker, and none runs
   */
  Spec readReachingKafka() throws NoBrokerException {
    Spec spec = read();
    return spec.embedsKafka() ? rehearsalKafka().reaching(spec) : spec;
  }

  /** What other commands about this file need beside their name, with a blank before it. */
  String options() {
    return file == null ? "" : " -f " + file;
  }

  private Path path() {
    return Optional.ofNullable(file)
        .or(() -> Optional.ofNullable(System.getenv("RESHARD_FILE")).map(Path::of))
        .orElse(Path.of("migration.yaml"));
  }
}

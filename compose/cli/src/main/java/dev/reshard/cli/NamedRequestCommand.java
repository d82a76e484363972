package dev.reshard.cli;

import dev.reshard.control.MigrationState;
import dev.reshard.control.Requests;
import dev.reshard.spec.Spec;
import java.time.Duration;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** A request whose migration must be named: a pasted command must not hit the wrong one. */
abstract class NamedRequestCommand extends RequestCommand {
  @Parameters(paramLabel = "NAME", description = "the migration, as in the file")
  private String name;

  @Option(
      names = {"-y", "--yes"},
      description = "do not ask back at a terminal")
  private boolean yes;

  NamedRequestCommand(Requests.Command command, Duration patience) {
    super(command, patience);
  }

  /** What cannot be taken back in that state; empty: all of it can. */
  abstract String warning(MigrationState state);

  @Override
  final Spec read(MigrationFile file) {
    return file.read(name);
  }

  @Override
  final String question(MigrationState state) {
    String warning = warning(state);
    return yes || warning.isEmpty() ? "" : name + ": " + warning;
  }
}

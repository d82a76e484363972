package dev.reshard.cli;

import dev.reshard.control.Requests;
import dev.reshard.spec.Spec;
import java.time.Duration;
import picocli.CommandLine.Parameters;

/** A request that can be taken back: its migration may be named, and then must be the file's. */
abstract class MaybeNamedRequestCommand extends RequestCommand {
  @Parameters(
      paramLabel = "NAME",
      arity = "0..1",
      description = "the migration, as in the file; may be left out")
  private String name;

  MaybeNamedRequestCommand(Requests.Command command, Duration patience) {
    super(command, patience);
  }

  @Override
  final Spec read(MigrationFile file) {
    return name == null ? file.read() : file.read(name);
  }
}

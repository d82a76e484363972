package dev.reshard.cli;

import dev.reshard.keyspace.ShardMap;
import dev.reshard.routing.StoredMap;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code reshard route}. */
@Command(
    name = "route",
    description = "Says which shard owns a key's rows, by the stored map.",
    mixinStandardHelpOptions = true)
final class RouteCommand implements Callable<Integer> {
  @CommandLine.Spec private CommandSpec self;
  @Mixin private MigrationFile file;

  @Parameters(paramLabel = "KEY", description = "the shard key, as PostgreSQL writes it as text")
  private String key;

  @Option(names = "--table", paramLabel = "T", description = "a table of the keyspace")
  private String table;

  @Override
  public Integer call() throws Exception {
    try (Wiring wiring = file.open()) {
      List<String> lines = new ArrayList<>();
      try {
        if (table != null) {
          lines.add(RouteView.table(table, wiring.keyspace(), wiring.spec().control()));
        }
        Planning planning = wiring.planning();
        Optional<StoredMap> stored = planning.storedAsPlaced();
        ShardMap owners = stored.isPresent() ? stored.get().map() : planning.mapOfFile();
        lines.addAll(RouteView.lines(key, planning.spec(), stored, owners));
      } catch (IllegalArgumentException e) {
        self.commandLine().getErr().println(e.getMessage());
        return ExitCode.USAGE.code();
      }
      lines.forEach(self.commandLine().getOut()::println);
      return ExitCode.DONE.code();
    }
  }
}

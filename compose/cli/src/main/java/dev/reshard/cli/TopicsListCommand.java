package dev.reshard.cli;

import dev.reshard.spec.Spec;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code reshard topics list}. */
@Command(
    name = "list",
    description = "Every topic of the migration and the keyspace's map, and what each holds.",
    mixinStandardHelpOptions = true)
final class TopicsListCommand implements Callable<Integer> {
  @CommandLine.Spec private CommandLine.Model.CommandSpec self;
  @Mixin private MigrationFile file;

  @Override
  public Integer call() throws Exception {
    Spec spec = file.readReachingKafka();
    PrintWriter out = self.commandLine().getOut();
    try (TopicReader reader = new TopicReader(spec)) {
      List<TopicReader.Found> found = reader.list();
      if (found.isEmpty()) {
        out.println("no topic of migration %s is there".formatted(spec.migration()));
      }
      for (TopicReader.Found topic : found) {
        out.println(
            "%-44s %10s records  %8s  %s"
                .formatted(
                    topic.name(),
                    Quantity.count(topic.records()),
                    topic.bytes().isPresent() ? Quantity.bytes(topic.bytes().getAsLong()) : "?",
                    TopicKind.of(spec, topic.name()).holds()));
      }
      return ExitCode.DONE.code();
    }
  }
}

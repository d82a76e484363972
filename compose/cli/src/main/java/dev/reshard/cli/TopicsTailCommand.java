package dev.reshard.cli;

import dev.reshard.cli.RehearsalKafka.NoBrokerException;
import dev.reshard.spec.Durations;
import dev.reshard.spec.Spec;
import java.io.PrintWriter;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.apache.kafka.common.errors.InterruptException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code reshard topics tail}. */
@Command(
    name = "tail",
    description = {
      "Prints records of one topic as JSON, a line each; the last ten if nothing else is said.",
      "Values of rows are never printed: of changes you see tables, columns and counts."
    },
    mixinStandardHelpOptions = true)
final class TopicsTailCommand implements Callable<Integer> {

  /** A moment, or how long ago it was. */
  static final class SinceConverter implements ITypeConverter<Instant> {
    @Override
    public Instant convert(String text) {
      return since(text, Instant.now(), ZoneId.systemDefault());
    }
  }

  @CommandLine.Spec private CommandLine.Model.CommandSpec self;
  @Mixin private MigrationFile file;

  @Parameters(
      paramLabel = "NAME",
      description = "events, routing, mismatches, mismatch-rate, shadow-reads, changes.SHARD")
  private String name;

  @Option(
      names = "--since",
      paramLabel = "T",
      converter = SinceConverter.class,
      description = "10min, 2h, 2026-03-01T03:12:00 (here), or 2026-03-01T03:12:00Z")
  private Instant since;

  @Option(names = "--follow", description = "go on with what comes, until Ctrl-C")
  private boolean follow;

  @Override
  public Integer call() throws InterruptedException, NoBrokerException {
    Spec spec = file.readReachingKafka();
    PrintWriter out = self.commandLine().getOut();
    try (TopicReader reader = new TopicReader(spec)) {
      Optional<String> topic = reader.find(name);
      if (topic.isEmpty()) {
        self.commandLine()
            .getErr()
            .println(
                "no topic %s of migration %s is there; there are %s"
                    .formatted(name, spec.migration(), reader.shortNames()));
        return ExitCode.USAGE.code();
      }
      TopicKind kind = TopicKind.of(spec, topic.get());
      reader.tail(
          topic.get(),
          Optional.ofNullable(since),
          follow,
          record -> {
            out.println(RecordLine.of(kind, record));
            out.flush();
          });
      return ExitCode.DONE.code();
    } catch (InterruptException e) {
      throw new InterruptedException(e.getMessage());
    }
  }

  /**
   * Reads a moment.
   *
   * @throws CommandLine.TypeConversionException if it is none
   */
  static Instant since(String text, Instant now, ZoneId zone) {
    try {
      return now.minus(Durations.parse(text));
    } catch (IllegalArgumentException noDuration) {
      try {
        return text.endsWith("Z")
            ? Instant.parse(text)
            : LocalDateTime.parse(text).atZone(zone).toInstant();
      } catch (DateTimeException e) {
        throw new CommandLine.TypeConversionException(
            "'%s' is neither 10min nor 2026-03-01T03:12:00".formatted(text));
      }
    }
  }
}

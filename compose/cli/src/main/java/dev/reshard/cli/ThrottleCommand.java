package dev.reshard.cli;

import dev.reshard.control.MigrationState;
import dev.reshard.control.ThrottleSetting;
import dev.reshard.control.WorkerLease;
import dev.reshard.spec.Rate;
import dev.reshard.spec.Spec;
import java.io.PrintWriter;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/**
 * {@code reshard throttle}: stores what the worker reads every second, whether one lives or not.
 */
@Command(
    name = "throttle",
    description = "Changes how fast each shard is copied, verified and purged, while that is done.",
    mixinStandardHelpOptions = true)
final class ThrottleCommand implements Callable<Integer> {

  /** A rate as in the file, refused at once if it is none. */
  static final class RateConverter implements ITypeConverter<String> {
    @Override
    public String convert(String text) {
      try {
        Rate.parse(text);
        return text;
      } catch (IllegalArgumentException e) {
        throw new CommandLine.TypeConversionException(e.getMessage());
      }
    }
  }

  /** One of them, or none to be told what stands. */
  static final class Choice {
    @Option(
        names = "--rate",
        paramLabel = "RATE",
        converter = RateConverter.class,
        description =
            "one limit more: 50MB/s, '20000 rows/s', '2000 blocks/s', '2 chunks', 10%%, 0MB/s to hold it; the strictest of all counts")
    private String rate;

    @Option(
        names = "--off",
        description = "what the file says of throttle does not count; its WAL budget does")
    private boolean off;

    @Option(names = "--reset", description = "the file alone counts again")
    private boolean reset;
  }

  @CommandLine.Spec private CommandSpec self;
  @Mixin private MigrationFile file;

  @ArgGroup private Choice choice;

  @Option(
      names = "--for",
      paramLabel = "TIME",
      converter = RequestCommand.TimeConverter.class,
      description = "ends by itself after so long, e.g. 30min or 2h (default: until the next one)")
  private Duration lasting;

  @Override
  public Integer call() throws Exception {
    PrintWriter out = self.commandLine().getOut();
    if (lasting != null && (choice == null || choice.reset)) {
      throw new CommandLine.ParameterException(
          self.commandLine(), "--for says how long --rate or --off lasts");
    }
    Spec spec = file.read();
    try (Wiring wiring = file.open(spec)) {
      if (wiring.isNew()) {
        out.println(
            "there is no migration %s yet; start 'reshard run'".formatted(spec.migration()));
        return ExitCode.REFUSED.code();
      }
      if (wiring.control().state() == MigrationState.CLEANED) {
        out.println(
            "migration %s is CLEANED: nothing is copied or purged any more"
                .formatted(spec.migration()));
        return ExitCode.DONE.code();
      }
      ThrottleSetting setting = wiring.control().throttle();
      if (choice != null && choice.reset) {
        setting.forget();
      } else if (choice != null) {
        setting.set(
            choice.off ? Optional.empty() : Optional.of(choice.rate),
            Optional.ofNullable(lasting),
            Wiring.who());
      }
      out.println(told(setting.read()));
      if (!isAlive(wiring, spec)) {
        out.println("no worker is alive: it counts as soon as one works");
      }
      return ExitCode.DONE.code();
    }
  }

  private static boolean isAlive(Wiring wiring, Spec spec) throws SQLException {
    try (WorkerLease lease = new WorkerLease(wiring.sessions(), spec.control(), spec.migration())) {
      return lease.holder().isPresent();
    }
  }

  private static String told(Optional<ThrottleSetting.Asked> asked) {
    if (asked.isEmpty()) {
      return "the file alone says how fast each shard is copied, verified and purged";
    }
    Optional<Rate> rate = asked.get().rate();
    String until =
        asked
            .get()
            .until()
            .map(end -> Quantity.time(end, Instant.now(), ZoneId.systemDefault()))
            .map(" until %s"::formatted)
            .orElse("");
    if (rate.isEmpty()) {
      return "what the file says of throttle does not count%s".formatted(until);
    }
    return rate.get().isPause()
        ? "nothing is copied, verified or purged%s; chunks under way end".formatted(until)
        : "each shard is copied, verified and purged at %s at most%s; a stricter limit of the file stays"
            .formatted(rate.get(), until);
  }
}

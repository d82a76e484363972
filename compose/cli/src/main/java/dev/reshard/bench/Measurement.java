package dev.reshard.bench;

import dev.reshard.cli.ExitCode;
import dev.reshard.cli.Logging;
import java.io.PrintWriter;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What all subcommands do: servers and table before, one line of JSON after. */
abstract class Measurement implements Callable<Integer> {
  @Spec private CommandSpec self;
  @Mixin private BenchOptions options;
  private PrintWriter out;

  @Override
  public final Integer call() throws Exception {
    Optional<String> problem = options.problem().or(this::problem);
    if (problem.isPresent()) {
      throw new ParameterException(self.commandLine(), problem.get());
    }
    Logging.toFile();
    out = self.commandLine().getOut();
    BenchResult result;
    try (BenchServers servers = BenchServers.start(options)) {
      say("loading %d rows".formatted(rows()));
      Orders.load(servers.source(), rows());
      result = measure(servers);
    } catch (BenchException e) {
      self.commandLine().getErr().println(e.getMessage());
      return ExitCode.UNEXPECTED.code();
    }
    out.println(result.json());
    return ExitCode.DONE.code();
  }

  /** What is wrong with options of its own; empty if nothing is. */
  Optional<String> problem() {
    return Optional.empty();
  }

  /** Measures, with table {@code orders} filled. */
  abstract BenchResult measure(BenchServers servers) throws Exception;

  final long rows() {
    return options.rows();
  }

  /** A line that tells how it goes. */
  final void say(String line) {
    out.println(line);
  }
}

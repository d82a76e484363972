package dev.reshard.cli;

import dev.reshard.preflight.CheckSessions;
import dev.reshard.preflight.Checks;
import dev.reshard.preflight.Preflight;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/** {@code reshard check}. */
@Command(
    name = "check",
    description = "Looks at everything a migration needs; changes nothing.",
    mixinStandardHelpOptions = true)
final class CheckCommand implements Callable<Integer> {
  @CommandLine.Spec private CommandSpec self;
  @Mixin private MigrationFile file;
  @ArgGroup private Form form = new Form();

  /** What is printed instead of lines for people. */
  static final class Form {
    @Option(names = "--json", description = "print every finding as JSON")
    private boolean json;

    @Option(
        names = "--fixes",
        description =
            "print SQL for what was found, also what 'run' would do itself; look at it, then run it with psql")
    private boolean fixes;

    @Option(
        names = "--grants",
        arity = "0..1",
        paramLabel = "missing|all",
        defaultValue = CommandLine.Option.NULL_VALUE,
        fallbackValue = "missing",
        description = "print the SQL that gives our role the rights it lacks (default), or all")
    private Grants grants;
  }

  /** Which rights are printed. */
  enum Grants {
    MISSING,
    ALL
  }

  @Override
  public Integer call() throws Exception {
    PrintWriter out = self.commandLine().getOut();
    try (Wiring wiring = file.open();
        CheckSessions sessions = wiring.checkSessions()) {
      Checks checks = wiring.checks(sessions);
      if (form.grants != null) {
        checks.grants(form.grants == Grants.ALL).forEach(out::println);
        return ExitCode.DONE.code();
      }
      Preflight.Result result = Preflight.run(checks.all());
      if (form.json) {
        out.println(FindingsJson.of(result.findings()));
      } else if (form.fixes) {
        result.fixes().forEach(out::println);
      } else {
        result.lines().forEach(out::println);
      }
      return exitCode(result, sessions).code();
    }
  }

  /** A password that is refused is a fault of the file, as it is for every other command. */
  static ExitCode exitCode(Preflight.Result result, CheckSessions sessions) {
    if (sessions.loginIsRefused()) {
      return ExitCode.USAGE;
    }
    return result.blocked() ? ExitCode.BLOCKED : ExitCode.DONE;
  }
}

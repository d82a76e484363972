package dev.reshard.cli;

import dev.reshard.draft.Draft;
import dev.reshard.keyspace.ShardId;
import dev.reshard.postgres.ShardAddress;
import dev.reshard.postgres.ShardSessions;
import dev.reshard.preflight.CheckSessions;
import dev.reshard.preflight.Unreachable;
import dev.reshard.spec.SpecReader;
import java.io.PrintWriter;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/** {@code reshard init}. */
@Command(
    name = "init",
    description = "Drafts a migration file from what the shards have; changes nothing on them.",
    mixinStandardHelpOptions = true)
final class InitCommand implements Callable<Integer> {
  private static final String PASSWORD = "RESHARD_PASSWORD";

  private static final Unreachable.Hints HINTS =
      new Unreachable.Hints("--user and $" + PASSWORD, "--url");

  @CommandLine.Spec private CommandSpec self;

  @Option(
      names = "--url",
      required = true,
      arity = "1..*",
      paramLabel = "URL",
      description =
          "every shard, those that are still empty too: jdbc:postgresql://host:port/database")
  private List<String> urls;

  @Option(
      names = "--user",
      defaultValue = "reshard",
      description =
          "who logs in (default: ${DEFAULT-VALUE}); the password comes from $"
              + PASSWORD
              + ", or is asked for")
  private String user;

  @Option(names = "--key", description = "the shard key's column (default: what most tables share)")
  private String key;

  @Option(
      names = "-o",
      paramLabel = "FILE",
      defaultValue = "migration.yaml",
      description = "where to write it (default: ${DEFAULT-VALUE}); never overwritten")
  private Path file;

  @Override
  public Integer call() throws Exception {
    PrintWriter out = self.commandLine().getOut();
    if (Files.exists(file)) {
      return refuse(file + " is there already, and stays as it is; name another with -o");
    }
    Map<ShardId, String> shards = new TreeMap<>();
    for (String url : urls) {
      try {
        shards.put(new ShardId(name(shards.size())), SpecReader.url(url));
      } catch (IllegalArgumentException e) {
        return refuse("--url: " + e.getMessage());
      }
    }
    Optional<String> password = password();
    if (password.isEmpty()) {
      return refuse("there is no terminal to ask for the password; set $" + PASSWORD);
    }
    Logging.toFile();
    ShardSessions sessions =
        new ShardSessions(
            "init",
            shards.entrySet().stream()
                .map(e -> new ShardAddress(e.getKey(), e.getValue(), user, password.get()))
                .toList());
    String yaml;
    try (CheckSessions looks = CheckSessions.open(sessions, shards.keySet(), HINTS)) {
      try {
        yaml = Draft.of(user, shards, Optional.ofNullable(key), looks).yaml();
      } catch (Draft.ImpossibleException e) {
        self.commandLine().getErr().println("no draft: " + e.getMessage());
        return (looks.loginIsRefused() ? ExitCode.USAGE : ExitCode.BLOCKED).code();
      }
    }
    try {
      Files.writeString(file, yaml, StandardOpenOption.CREATE_NEW);
    } catch (FileAlreadyExistsException e) {
      return refuse(file + " is there by now, and stays as it is; name another with -o");
    }
    List<String> questions =
        yaml.lines().map(String::strip).filter(line -> line.startsWith("# QUESTION")).toList();
    out.println(
        "wrote %s with %d questions; answer them there, then: reshard check -f %s"
            .formatted(file, questions.size(), file));
    questions.forEach(question -> out.println("  " + question.substring(2)));
    return ExitCode.DONE.code();
  }

  private int refuse(String why) {
    self.commandLine().getErr().println(why);
    return ExitCode.USAGE.code();
  }

  /** a to z, then s27. */
  private static String name(int index) {
    return index < 26 ? Character.toString('a' + index) : "s" + (index + 1);
  }

  private Optional<String> password() {
    String set = System.getenv(PASSWORD);
    if (set != null) {
      return Optional.of(set);
    }
    return Boolean.getBoolean("reshard.terminal") // the launcher looks
        ? Optional.ofNullable(System.console())
            .map(console -> console.readPassword("password of %s: ", user))
            .map(String::new)
        : Optional.empty();
  }
}

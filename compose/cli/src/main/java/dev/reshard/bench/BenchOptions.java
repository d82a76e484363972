package dev.reshard.bench;

import java.net.URI;
import java.util.Optional;
import picocli.CommandLine.Option;

/** Where to measure, and with how many rows. Set by the command line, then read only. */
final class BenchOptions {
  private static final long FEWEST_ROWS = 1_000;

  @Option(
      names = "--rows",
      defaultValue = "3000000",
      description = "rows of table orders (${DEFAULT-VALUE}, about 620 MB)")
  private long rows;

  @Option(
      names = "--source",
      paramLabel = "URL",
      description =
          "JDBC URL of a server to be the source, with a superuser's login; with --destination. "
              + "Without: servers of its own, on disk")
  private String source;

  @Option(
      names = "--destination",
      paramLabel = "URL",
      description =
          "the same of the destination. Databases reshard_bench_* and roles app, app_owner, reshard"
              + " are made there, and removed at the end with all that is in them; it refuses if one"
              + " of them is there already")
  private String destination;

  long rows() {
    return rows;
  }

  Optional<URI> source() {
    return uri(source);
  }

  Optional<URI> destination() {
    return uri(destination);
  }

  /** What is wrong with them; empty if nothing is. */
  Optional<String> problem() {
    if (rows < FEWEST_ROWS) {
      return Optional.of("--rows must be at least " + FEWEST_ROWS);
    }
    if ((source == null) != (destination == null)) {
      return Optional.of("--source and --destination go together");
    }
    if (source != null && !(isUrl(source) && isUrl(destination))) {
      return Optional.of(
          "--source and --destination must be jdbc:postgresql://HOST[:PORT]/DATABASE?user=NAME[&password=..]");
    }
    return Optional.empty();
  }

  private static boolean isUrl(String text) {
    return text.matches("jdbc:postgresql://[^/?,]+/[^?]+\\?(.*&)?user=[^&]+.*");
  }

  private static Optional<URI> uri(String text) {
    return Optional.ofNullable(text).map(url -> URI.create(url.substring("jdbc:".length())));
  }
}

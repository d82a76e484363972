package dev.reshard.spec;

import java.util.List;

/** A migration file that cannot be used; its message holds every problem, a line each. */
public final class SpecException extends RuntimeException {
  private final List<String> problems;

  public SpecException(String file, List<String> problems) {
    super(
        "%s has %d problem%s; nothing was changed:%n  %s"
            .formatted(
                file,
                problems.size(),
                problems.size() == 1 ? "" : "s",
                String.join(System.lineSeparator() + "  ", problems)));
    this.problems = List.copyOf(problems);
  }

  /** For what is one sentence by itself. */
  SpecException(String problem) {
    super(problem);
    this.problems = List.of(problem);
  }

  public List<String> problems() {
    return problems;
  }
}

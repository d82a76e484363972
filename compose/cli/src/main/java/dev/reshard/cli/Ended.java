package dev.reshard.cli;

import dev.reshard.control.ControlStore.Transition;
import dev.reshard.control.MigrationState;
import dev.reshard.control.Requests.Command;
import java.time.Instant;
import java.time.ZoneId;
import java.util.List;

/**
 * What a command answers about a migration that is CLEANED: no worker will ever hear of it. Pure.
 *
 * @param text for people
 * @param exitCode done if that is what was asked for
 */
record Ended(String text, ExitCode exitCode) {

  /** How it went. */
  private enum Way {
    COMPLETED("was completed and cleaned"),
    GIVEN_UP("was given up and cleaned, nothing has moved,"),
    CANCELLED("was cancelled and cleaned");

    private final String words;

    Way(String words) {
      this.words = words;
    }
  }

  /**
   * The answer.
   *
   * @param transitions the newest first
   * @param zone in which times are told
   */
  static Ended of(
      Command command, String migration, List<Transition> transitions, Instant now, ZoneId zone) {
    Way way = way(transitions);
    boolean already =
        switch (command) {
          case COMPLETE -> way != Way.CANCELLED;
          case CANCEL -> way != Way.COMPLETED;
          default -> false;
        };
    String how =
        "%s %s%s"
            .formatted(
                migration,
                way.words,
                transitions.isEmpty()
                    ? ""
                    : " at " + Quantity.time(transitions.get(0).at(), now, zone));
    if (already) {
      return new Ended("already so: " + how, ExitCode.DONE);
    }
    return new Ended(
        switch (command) {
          case COMPLETE, CANCEL ->
              "%s is CLEANED: it %s; nothing to %s"
                  .formatted(migration, how.substring(migration.length() + 1), verb(command));
          default ->
              "%s is CLEANED: it has ended; nothing to %s".formatted(migration, verb(command));
        },
        ExitCode.REFUSED);
  }

  private static Way way(List<Transition> transitions) {
    for (Transition transition : transitions) {
      if (transition.to() == MigrationState.CANCELLED) {
        return Way.CANCELLED;
      }
      if (transition.to() == MigrationState.CLEANING_UP) {
        return transition.from() == MigrationState.ROLLED_BACK ? Way.GIVEN_UP : Way.COMPLETED;
      }
    }
    return Way.COMPLETED;
  }

  private static String verb(Command command) {
    return switch (command) {
      case CUTOVER -> "hand over";
      case ROLLBACK -> "hand back";
      case VERIFY -> "compare";
      case PAUSE -> "pause";
      case RESUME -> "resume";
      case COMPLETE -> "complete";
      case CANCEL -> "cancel";
    };
  }
}

package dev.reshard.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reshard.control.ControlStore.Transition;
import dev.reshard.control.MigrationState;
import dev.reshard.control.Requests.Command;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EndedTest {
  private static final Instant NOW = Instant.parse("2026-03-02T09:00:00Z");

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          COMPLETE | COMPLETED   | 0 | already so: two was completed and cleaned at 07:54:02
          COMPLETE | ROLLED_BACK | 0 | already so: two was given up and cleaned, nothing has moved, at 07:54:02
          COMPLETE | PAUSED      | 4 | two is CLEANED: it was cancelled and cleaned at 07:54:02; nothing to complete
          CANCEL   | PAUSED      | 0 | already so: two was cancelled and cleaned at 07:54:02
          CANCEL   | ROLLED_BACK | 0 | already so: two was given up and cleaned, nothing has moved, at 07:54:02
          CANCEL   | COMPLETED   | 4 | two is CLEANED: it was completed and cleaned at 07:54:02; nothing to cancel
          CUTOVER  | COMPLETED   | 4 | two is CLEANED: it has ended; nothing to hand over
          ROLLBACK | COMPLETED   | 4 | two is CLEANED: it has ended; nothing to hand back
          VERIFY   | PAUSED      | 4 | two is CLEANED: it has ended; nothing to compare
          PAUSE    | COMPLETED   | 4 | two is CLEANED: it has ended; nothing to pause
          RESUME   | COMPLETED   | 4 | two is CLEANED: it has ended; nothing to resume""")
  void eachCommandAboutAnEndedMigrationHasAnAnswerOfItsOwn(
      Command command, MigrationState lastOfPeople, int exitCode, String text) {
    MigrationState ending =
        lastOfPeople == MigrationState.PAUSED
            ? MigrationState.CANCELLED
            : MigrationState.CLEANING_UP;
    Ended ended =
        Ended.of(
            command,
            "two",
            List.of(transition(ending, MigrationState.CLEANED), transition(lastOfPeople, ending)),
            NOW,
            ZoneOffset.UTC);
    assertEquals(text, ended.text());
    assertEquals(exitCode, ended.exitCode().code());
  }

  private static Transition transition(MigrationState from, MigrationState to) {
    return new Transition(Instant.parse("2026-03-02T07:54:02Z"), from, to, "worker", "so");
  }
}

package dev.reshard.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.control.MigrationState;
import org.junit.jupiter.api.Test;

class CompleteCommandTest {
  @Test
  void afterARollbackItAsksForGivingUp() {
    assertEquals(
        "nothing has moved; this gives up, and deletes what was copied.",
        new CompleteCommand().warning(MigrationState.ROLLED_BACK));
  }

  @Test
  void afterACutoverItAsksForEndingTheWayBack() {
    assertTrue(
        new CompleteCommand()
            .warning(MigrationState.COMPLETED)
            .startsWith("this ends the way back"));
  }
}

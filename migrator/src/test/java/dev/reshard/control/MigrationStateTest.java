package dev.reshard.control;

import static dev.reshard.control.MigrationState.CANCELLED;
import static dev.reshard.control.MigrationState.CATCHING_UP;
import static dev.reshard.control.MigrationState.CLEANED;
import static dev.reshard.control.MigrationState.CLEANING_UP;
import static dev.reshard.control.MigrationState.COMPLETED;
import static dev.reshard.control.MigrationState.COPYING;
import static dev.reshard.control.MigrationState.CUTTING_OVER;
import static dev.reshard.control.MigrationState.FAILED;
import static dev.reshard.control.MigrationState.PAUSED;
import static dev.reshard.control.MigrationState.PENDING;
import static dev.reshard.control.MigrationState.PREPARING;
import static dev.reshard.control.MigrationState.READY_FOR_CUTOVER;
import static dev.reshard.control.MigrationState.ROLLED_BACK;
import static dev.reshard.control.MigrationState.ROLLING_BACK;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class MigrationStateTest {
  private static final Map<MigrationState, Set<MigrationState>> ALLOWED =
      new EnumMap<>(
          Map.ofEntries(
              Map.entry(PENDING, Set.of(PREPARING, CANCELLED)),
              Map.entry(PREPARING, Set.of(COPYING, PAUSED, FAILED, CANCELLED)),
              Map.entry(COPYING, Set.of(CATCHING_UP, PAUSED, FAILED, CANCELLED)),
              Map.entry(CATCHING_UP, Set.of(READY_FOR_CUTOVER, COPYING, PAUSED, FAILED, CANCELLED)),
              Map.entry(
                  READY_FOR_CUTOVER,
                  Set.of(CUTTING_OVER, ROLLING_BACK, CATCHING_UP, PAUSED, CANCELLED)),
              Map.entry(CUTTING_OVER, Set.of(READY_FOR_CUTOVER, COMPLETED)),
              Map.entry(COMPLETED, Set.of(ROLLING_BACK, CLEANING_UP)),
              Map.entry(ROLLING_BACK, Set.of(READY_FOR_CUTOVER, COMPLETED, ROLLED_BACK)),
              Map.entry(ROLLED_BACK, Set.of(CUTTING_OVER, CLEANING_UP)),
              Map.entry(CLEANING_UP, Set.of(CLEANED)),
              Map.entry(CLEANED, Set.of()),
              Map.entry(
                  PAUSED, Set.of(PREPARING, COPYING, CATCHING_UP, READY_FOR_CUTOVER, CANCELLED)),
              Map.entry(FAILED, Set.of(CANCELLED)),
              Map.entry(CANCELLED, Set.of(CLEANED))));

  @ParameterizedTest
  @EnumSource
  void onlyTheMovesOfTheTableAreAllowed(MigrationState from) {
    assertEquals(ALLOWED.get(from), from.next());
  }

  @ParameterizedTest
  @EnumSource
  void bucketsChangeHandsOnlyWhileBothDirectionsReplicate(MigrationState state) {
    if (EnumSet.of(CUTTING_OVER, ROLLING_BACK).contains(state)) {
      assertTrue(state.replicates());
      state.next().forEach(next -> assertTrue(next.replicates(), next.name()));
    }
    assertFalse(state.replicates() && (state == CLEANING_UP || state.next().isEmpty()));
  }

  @ParameterizedTest
  @EnumSource
  void aStateThatWaitsForAnOperatorSaysForWhat(MigrationState state) {
    boolean waits =
        EnumSet.of(READY_FOR_CUTOVER, COMPLETED, ROLLED_BACK, CLEANED, PAUSED, FAILED)
            .contains(state);
    assertEquals(waits, !state.nextStep().isEmpty());
  }
}

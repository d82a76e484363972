package dev.reshard.throttle;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reshard.throttle.WalBudget.Level;
import dev.reshard.throttle.WalBudget.Use;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WalBudgetTest {
  private static final long GB = 1L << 30;
  private static final long SECOND = 1_000_000_000L;

  @ParameterizedTest
  @CsvSource({
    "0, FINE",
    "50, FINE",
    "51, WARN",
    "75, WARN",
    "76, THROTTLE",
    "100, PAUSE",
    "120, PAUSE"
  })
  void whatIsDoneGrowsWithWhatIsKept(long gigabytes, Level level) {
    Use use =
        new WalBudget(OptionalLong.of(100 * GB)).note(gigabytes * GB, OptionalLong.empty(), 0);
    assertEquals(level, use.level());
    assertEquals(gigabytes, use.percent());
  }

  @Test
  void theServersOwnLimitCountsWhereItIsNearer() {
    WalBudget budget = new WalBudget(OptionalLong.of(100 * GB));
    assertEquals(Level.WARN, budget.note(6 * GB, OptionalLong.of(4 * GB), 0).level());
    assertEquals(OptionalLong.of(10 * GB), budget.note(6 * GB, OptionalLong.of(4 * GB), 0).limit());
    assertEquals(Level.PAUSE, budget.note(6 * GB, OptionalLong.of(-1), 0).level());
    assertEquals(
        OptionalLong.of(100 * GB), budget.note(6 * GB, OptionalLong.of(999 * GB), 0).limit());
  }

  @Test
  void withoutAnyLimitAllIsFine() {
    Use use = new WalBudget(OptionalLong.empty()).note(900 * GB, OptionalLong.empty(), 0);
    assertEquals(
        new Use(Level.FINE, 900 * GB, OptionalLong.empty(), false, OptionalLong.empty()), use);
  }

  @Test
  void itSaysWhenItWillBeFullIfItGoesOnAsInTheLastMinutes() {
    WalBudget budget = new WalBudget(OptionalLong.of(50 * GB));
    Use use = null;
    for (int s = 0; s <= 600; s++) { // first fast, then 10 MB/s
      long bytes = s < 400 ? s * (50L << 20) : 400 * (50L << 20) + (s - 400) * (10L << 20);
      use = budget.note(bytes, OptionalLong.empty(), s * SECOND);
    }
    long left = 50 * GB - use.bytes();
    assertEquals(left / (10.0 * (1 << 20)), (double) use.fullIn().orElseThrow(), 2);
    assertEquals("22000 MB of 51200 MB (budget.wal), full in 48 min", use.toString());
  }

  @Test
  void whatShrinksOrIsNewIsNotForecast() {
    WalBudget budget = new WalBudget(OptionalLong.of(50 * GB));
    assertEquals(OptionalLong.empty(), budget.note(9 * GB, OptionalLong.empty(), 0).fullIn());
    assertEquals(
        OptionalLong.empty(), budget.note(10 * GB, OptionalLong.empty(), 5 * SECOND).fullIn());
    assertEquals(
        OptionalLong.empty(), budget.note(8 * GB, OptionalLong.empty(), 60 * SECOND).fullIn());
  }
}

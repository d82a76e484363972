package dev.reshard.probe;

import dev.reshard.probe.Probe.Next;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

/** How many pairs of reads a process has made. Thread-safe. */
final class ProbeCounts {
  private final AtomicLong pairs = new AtomicLong();
  private final AtomicLong again = new AtomicLong();
  private final AtomicLong givenUp = new AtomicLong();

  void compared(Next next, boolean readAgain) {
    pairs.incrementAndGet();
    if (readAgain) {
      again.incrementAndGet();
    } else if (next == Next.BEHIND || next == Next.LOOK_AGAIN) {
      givenUp.incrementAndGet();
    }
  }

  Map<String, Object> report() {
    Map<String, Object> report = new LinkedHashMap<>();
    report.put("pairs", pairs.get());
    report.put("to_read_again", again.get());
    report.put("given_up", givenUp.get());
    return report;
  }
}

package dev.reshard.migration;

import dev.reshard.apply.ChangeSource;
import dev.reshard.apply.LaneLimits;
import dev.reshard.apply.LanePosition;
import dev.reshard.change.ChangeReader;
import dev.reshard.change.Transaction;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A lane's transactions from the source's change topic. Used by one thread at a time; what counts
 * of a transaction's rows is told to the lane's, which goes through them.
 */
final class TopicSource implements ChangeSource {
  /** As many as a lane likes to apply at once; small ones mostly. */
  private static final int BATCH = 2_000;

  /** Nor more than this at once, save one that is larger: what is read comes on top of a batch. */
  private static final long BATCH_BYTES = LaneLimits.DEFAULT.batchBytes() / 4;

  private final ChangeReader reader;

  private final CountedColumns counted;

  /**
   * @param counted what of each row counts
   */
  TopicSource(
      Map<String, Object> kafka, String topic, LanePosition position, CountedColumns counted) {
    this.counted = counted;
    this.reader =
        new ChangeReader(
            kafka,
            topic,
            new ChangeReader.Position(
                position.incarnation(), position.applied(), position.nextOffset()),
            position.server());
  }

  @Override
  public List<Transaction> poll(Duration timeout) {
    Optional<Transaction> next = reader.next(timeout);
    List<Transaction> batch = new ArrayList<>();
    long bytes = 0;
    while (next.isPresent()) {
      batch.add(counted.of(next.get()));
      bytes += next.get().bytes();
      boolean more = batch.size() < BATCH && bytes < BATCH_BYTES;
      next = more ? reader.next(Duration.ZERO) : Optional.empty();
    }
    return batch;
  }

  @Override
  public void close() {
    reader.close();
  }
}

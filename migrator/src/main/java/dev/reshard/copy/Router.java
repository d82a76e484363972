package dev.reshard.copy;

import dev.reshard.postgres.CopyReader;
import dev.reshard.throttle.Turn;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.IntConsumer;

/**
 * Hands each row of a chunk to the loads of its bucket. Confined to one thread; closes its loads.
 */
final class Router implements AutoCloseable {
  private static final Load[] STRAY = {};

  /** Rows for destinations that have the chunk already. */
  private static final Load[] DROPPED = {};

  private final Load[][] byBucket;
  private final IntConsumer check;
  private final List<Load> loads = new ArrayList<>();

  /**
   * @param check is told how many bytes each row has, before it goes anywhere; may throw
   */
  Router(int buckets, IntConsumer check) {
    this.check = check;
    byBucket = new Load[buckets][];
    Arrays.fill(byBucket, STRAY);
  }

  /**
   * @param load empty if the destination has the chunk
   */
  void add(Target target, Optional<Load> load) {
    load.ifPresent(loads::add);
    target.buckets().stream()
        .forEach(
            bucket -> {
              Load[] before = byBucket[bucket];
              if (load.isPresent()) {
                Load[] more = Arrays.copyOf(before, before.length + 1);
                more[before.length] = load.get();
                byBucket[bucket] = more;
              } else if (before == STRAY) {
                byBucket[bucket] = DROPPED;
              }
            });
  }

  /**
   * Reads all rows.
   *
   * @param turn is told each of them
   * @return how many are strays
   */
  long route(CopyReader rows, Turn turn) throws SQLException {
    long strays = 0;
    while (rows.next()) {
      check.accept(rows.length());
      int bucket = rows.bucket();
      Load[] to = bucket < 0 || bucket >= byBucket.length ? STRAY : byBucket[bucket];
      if (to == STRAY) {
        strays++;
      }
      for (Load load : to) {
        load.add(rows);
      }
      turn.moved(rows.length());
    }
    return strays;
  }

  List<Load> loads() {
    return loads;
  }

  @Override
  public void close() throws SQLException {
    SQLException failure = null;
    for (Load load : loads) {
      try {
        load.close();
      } catch (SQLException e) {
        failure = e;
      }
    }
    if (failure != null) {
      throw failure;
    }
  }
}

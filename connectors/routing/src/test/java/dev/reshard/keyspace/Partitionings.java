package dev.reshard.keyspace;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** Every partitioning that there is. */
public final class Partitionings {
  private Partitionings() {}

  /** One of each function, and of each type where it matters. */
  public static List<Partitioning> into(int count) {
    return Stream.concat(
            Arrays.stream(HashBuckets.Function.values())
                .map(function -> new HashBuckets(function, count)),
            Arrays.stream(PostgresBuckets.Type.values())
                .map(type -> new PostgresBuckets(type, count)))
        .map(Partitioning.class::cast)
        .toList();
  }
}

package dev.reshard.shadow;

import dev.reshard.topics.MismatchRate;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;

/** Reads by outcome. Immutable. */
@SuppressWarnings("EnumOrdinal") // never leaves the process
public final class Counts {
  public static final Counts NONE = new Counts(new long[Outcome.values().length]);

  private final long[] reads;

  private Counts(long[] reads) {
    this.reads = reads;
  }

  public Counts plus(Outcome outcome) {
    long[] more = reads.clone();
    more[outcome.ordinal()]++;
    return new Counts(more);
  }

  public Counts plus(Counts other) {
    long[] more = reads.clone();
    Arrays.setAll(more, i -> more[i] + other.reads[i]);
    return new Counts(more);
  }

  public long of(Outcome outcome) {
    return reads[outcome.ordinal()];
  }

  /** Reads that found the sides to differ. */
  public long differences() {
    return of(Outcome.MISMATCH) + of(Outcome.MISSING) + of(Outcome.EXTRA);
  }

  /** Reads with an answer. */
  public long compared() {
    return of(Outcome.MATCH) + differences();
  }

  public MismatchRate.Rate rate() {
    long compared = compared();
    return new MismatchRate.Rate(
        compared,
        differences(),
        compared == 0 ? 0 : (double) differences() / compared,
        UpperBound.of(differences(), compared));
  }

  public Map<String, Long> byWord() {
    Map<String, Long> words = new LinkedHashMap<>();
    for (Outcome outcome : Outcome.values()) {
      words.put(outcome.word(), of(outcome));
    }
    return words;
  }

  static Serde<Counts> serde() {
    return Serdes.serdeFrom(
        (topic, counts) -> {
          ByteBuffer bytes = ByteBuffer.allocate(counts.reads.length * Long.BYTES);
          bytes.asLongBuffer().put(counts.reads);
          return bytes.array();
        },
        (topic, bytes) -> {
          long[] reads = new long[Outcome.values().length];
          ByteBuffer.wrap(bytes).asLongBuffer().get(reads);
          return new Counts(reads);
        });
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Counts that && Arrays.equals(reads, that.reads);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(reads);
  }

  @Override
  public String toString() {
    return byWord().toString();
  }
}

package dev.reshard.topics;

import dev.reshard.keyspace.ShardId;

/**
 * Every topic of a migration, by name. Immutable.
 *
 * @param prefix from the spec, {@code reshard} unless set
 */
public record TopicNames(String prefix, String migration) {

  /** One shard's changes in commit order; one partition; Avro. */
  public String changes(ShardId shard) {
    return name("changes." + shard);
  }

  /** Pairs of reads, one from each side; Avro. */
  public String shadowReads() {
    return name("shadow-reads");
  }

  /** Rates of mismatch by table and destination; JSON; watched by on-call. */
  public String mismatchRate() {
    return name("mismatch-rate");
  }

  /** Rows that differ, confirmed, by table and key; JSON; watched by on-call. */
  public String mismatches() {
    return name("mismatches");
  }

  /** What all topics of this migration begin with, the last dot included. */
  public String all() {
    return name("");
  }

  private String name(String what) {
    return prefix + "." + migration + "." + what;
  }
}

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

  /** Changes of state and of owners; JSON; for alerting and audit. */
  public String events() {
    return name("events");
  }

  /**
   * The map of a keyspace; JSON; compacted. Not a migration's: it holds no rows, and stays.
   *
   * @param prefix as of a migration's topics
   */
  public static String routing(String prefix, String keyspace) {
    return prefix + "." + keyspace + ".routing";
  }

  /** What all topics of this migration begin with, the last dot included. */
  public String all() {
    return name("");
  }

  private String name(String what) {
    return prefix + "." + migration + "." + what;
  }
}

package dev.reshard.cli;

import dev.reshard.spec.Spec;
import dev.reshard.topics.TopicNames;

/** What is in a topic, by its name. */
enum TopicKind {
  CHANGES("Avro: one shard's changes in commit order, with values of rows; 'tail' leaves them out"),
  SHADOW_READS("Avro: rows as both sides had them, by key and digest, without values"),
  MISMATCH_RATE("JSON: how often dual reads differ, by table and destination"),
  MISMATCHES("JSON: rows that differ, by key"),
  EVENTS("JSON: changes of state and of owners"),
  ROUTING("JSON: the keyspace's map; compacted; stays when the migration ends"),
  INTERNAL("the shadow validator's own; not to be read");

  private final String holds;

  TopicKind(String holds) {
    this.holds = holds;
  }

  /** For people. */
  String holds() {
    return holds;
  }

  /** The kind of a topic of this migration, by its whole name. */
  static TopicKind of(Spec spec, String topic) {
    TopicNames names = new TopicNames(spec.topics().prefix(), spec.migration());
    if (topic.equals(TopicNames.routing(spec.topics().prefix(), spec.keyspace().name()))) {
      return ROUTING;
    }
    if (topic.startsWith(names.all() + "changes.")) {
      return CHANGES;
    }
    if (topic.equals(names.shadowReads())) {
      return SHADOW_READS;
    }
    if (topic.equals(names.mismatchRate())) {
      return MISMATCH_RATE;
    }
    if (topic.equals(names.mismatches())) {
      return MISMATCHES;
    }
    return topic.equals(names.events()) ? EVENTS : INTERNAL;
  }
}

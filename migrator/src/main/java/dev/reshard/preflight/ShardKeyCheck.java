package dev.reshard.preflight;

import dev.reshard.keyspace.Keyspace.ShardedTable;
import dev.reshard.keyspace.ShardId;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Whether the keyspace's function has one bucket for each shard key, the same in Java and on every
 * server. Reads catalogs only: it makes none of the functions that a worker needs. Immutable.
 */
final class ShardKeyCheck implements Check {
  private final Subject subject;

  ShardKeyCheck(Subject subject) {
    this.subject = subject;
  }

  @Override
  public String name() {
    return "type of the shard key";
  }

  @Override
  public List<Finding> look() {
    List<Finding> findings = new ArrayList<>();
    for (ShardId shard : subject.shards()) {
      for (ShardedTable sharded : subject.keyspace().sharded()) {
        Optional<KeyColumn> key = subject.key(shard, sharded.id());
        if (key.isPresent()) {
          of(sharded.key(), key.get())
              .forEach(found -> findings.add(found.at(shard).on(sharded.id())));
        }
      }
    }
    return findings;
  }

  private List<Finding> of(String name, KeyColumn key) {
    List<Finding> findings = new ArrayList<>();
    subject
        .keyspace()
        .partitioning()
        .objectionTo(key.type())
        .ifPresent(
            why -> findings.add(Finding.blocker("%s is %s, %s".formatted(name, key.type(), why))));
    if (!key.deterministic()) {
      findings.add(
          Finding.blocker(
                  "%s has a nondeterministic collation: keys that it takes for equal have different buckets"
                      .formatted(name))
              .todo("give it a deterministic one"));
    }
    if (!key.encoding().equals("UTF8") && subject.keyspace().partitioning().isComputed()) {
      findings.add(
          Finding.blocker(
                  "%s is stored in %s, but keys are hashed in UTF-8, so one with an accent would lie elsewhere"
                      .formatted(name, key.encoding()))
              .todo("only databases in UTF8 can have text keys"));
    }
    return findings;
  }
}

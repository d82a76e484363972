package dev.reshard.preflight;

import dev.reshard.keyspace.Keyspace.ShardedTable;
import dev.reshard.keyspace.ShardId;
import dev.reshard.preflight.CheckSessions.Answers;
import dev.reshard.preflight.MeetingValues.Verdict;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Unique keys that do not contain the shard key: rows of different shards can meet in them (HAZARDS
 * F25). Immutable.
 */
final class UniqueKeys implements Check {
  private final Subject subject;

  UniqueKeys(Subject subject) {
    this.subject = subject;
  }

  @Override
  public String name() {
    return "unique keys";
  }

  @Override
  public List<Finding> look() throws InterruptedException {
    Answers<List<UniqueIndex>> indexes =
        subject.sessions().ask(subject.shards(), session -> UniqueIndex.read(session, subject));
    List<Finding> findings = new ArrayList<>(indexes.failures());
    Map<String, Verdict> verdicts = new LinkedHashMap<>();
    MeetingValues values = new MeetingValues(subject);
    for (Map.Entry<ShardId, List<UniqueIndex>> each : indexes.values().entrySet()) {
      for (UniqueIndex index : each.getValue()) {
        String name = index.table().id() + " " + index.name();
        if (!verdicts.containsKey(name)) {
          verdicts.put(name, values.of(index));
        }
        findings.addAll(judge(each.getKey(), index, verdicts.get(name)));
      }
    }
    return findings;
  }

  private List<Finding> judge(ShardId shard, UniqueIndex index, Verdict verdict) {
    ShardedTable table = index.table();
    List<Finding> findings = new ArrayList<>();
    if (verdict.answer() == MeetingValues.Answer.MET) {
      findings.add(
          Finding.blocker(
                  "rows that come together have the same value of a unique key, so that one of them could not be loaded")
              .on(table.id())
              .detail(index.name() + ": " + verdict.example())
              .todo(
                  "make the shard key a part of the key, or give one side other values; or move to destinations where they do not meet"));
    }
    if (subject.spec().keyspace().acceptsCrossShardUnique(table.id())) {
      findings.add(
          Finding.note(
                  "unique per shard only, as the key lacks the shard key %s%s. You accepted it: if two shards ever use the same value, a rollback may be refused"
                      .formatted(table.key(), evidence(verdict)))
              .at(shard)
              .on(table.id())
              .detail(index.name()));
    } else if (canMeet(shard, index)) {
      findings.add(
          Finding.blocker(
                  "unique key without the shard key %s, so rows of different shards can meet in it%s"
                      .formatted(table.key(), evidence(verdict)))
              .at(shard)
              .on(table.id())
              .detail(index.name())
              .todo(
                  "if its values are unique over all shards, list the table, or its schema as public.*, under keyspace.tables.accept_cross_shard_unique; else make the shard key a part of it"));
    }
    return findings;
  }

  private boolean canMeet(ShardId shard, UniqueIndex index) {
    boolean twoSourcesMeet =
        subject.moves().destinations().stream().anyMatch(d -> subject.moves().to(d).size() > 1);
    boolean servesAlready =
        subject.moves().destinations().contains(shard) && subject.serving().contains(shard);
    return !index.primary() || twoSourcesMeet || servesAlready;
  }

  private static String evidence(Verdict verdict) {
    return switch (verdict.answer()) {
      case ALL_APART -> " (all values that will meet were compared: no two are the same now)";
      case SOME_APART ->
          " (a sample of the values that will meet was compared: no two are the same)";
      case UNKNOWN ->
          " (whether values are the same now could not be found out: no right, or no time)";
      case NOBODY_MEETS, MET -> "";
    };
  }
}

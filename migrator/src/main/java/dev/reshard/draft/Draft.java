package dev.reshard.draft;

import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Table;
import dev.reshard.preflight.CheckSessions;
import dev.reshard.preflight.CheckSessions.Answers;
import dev.reshard.preflight.Finding;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * All that could be found out for a migration file. Immutable.
 *
 * @param urls of every shard
 * @param serving shards that have rows
 * @param key the proposed shard key
 * @param keyType its type
 * @param runnersUp what else it could be
 * @param count of buckets
 * @param evidence for a function; empty if none agrees, or there are too few keys
 * @param sawKeys whether any shard let us see one
 */
public record Draft(
    String user,
    Map<ShardId, String> urls,
    Set<ShardId> serving,
    String key,
    String keyType,
    List<String> runnersUp,
    int count,
    Optional<Evidence> evidence,
    boolean sawKeys,
    Lists lists) {
  /** Enough that a bucket is small, few enough that each has many keys. */
  private static final int BUCKETS = 1024;

  /** Larger tables are no reference tables: 64 MB. */
  private static final long REFERENCE_PAGES = 8_192;

  private static final int KEYS_OF_A_TABLE = 500;
  private static final Duration KEYS_LIMIT = Duration.ofSeconds(3);

  /** How many columns are tried as the key. */
  private static final int CANDIDATES = 4;

  /** What a draft cannot be made from; says what to do. */
  public static final class ImpossibleException extends Exception {
    private static final long serialVersionUID = 1;

    ImpossibleException(String message) {
      super(message);
    }
  }

  /**
   * Looks at all shards.
   *
   * @param key empty to propose one
   * @throws ImpossibleException if a shard cannot be looked at, or no table could be sharded
   */
  public static Draft of(
      String user, Map<ShardId, String> urls, Optional<String> key, CheckSessions sessions)
      throws ImpossibleException, InterruptedException {
    Answers<ShardContent> read = sessions.ask(urls.keySet(), ShardContent::read);
    List<Finding> failures = new ArrayList<>(sessions.unreachable());
    failures.addAll(read.failures());
    if (!failures.isEmpty()) {
      throw new ImpossibleException(
          failures.stream()
              .map(
                  f ->
                      "%s %s: %s; %s"
                          .formatted(f.shard().orElseThrow(), f.detail(), f.what(), f.todo()))
              .collect(Collectors.joining("\n")));
    }
    return new Looking(user, urls, sessions, read.values()).draft(key);
  }

  /** The file. */
  public String yaml() {
    return DraftText.of(this);
  }

  /** The way from what is there to a draft. Confined to one thread. */
  private record Looking(
      String user,
      Map<ShardId, String> urls,
      CheckSessions sessions,
      Map<ShardId, ShardContent> contents) {

    Draft draft(Optional<String> key) throws ImpossibleException, InterruptedException {
      Map<ShardId, ShardContent> used = new TreeMap<>(contents);
      used.values().removeIf(content -> !content.isUsed());
      Map<ShardId, ShardContent> serving = used.isEmpty() ? contents : used;
      Map<TableId, Table> tables = new TreeMap<>();
      serving.values().forEach(content -> content.tables().forEach(tables::putIfAbsent));
      List<KeyChoice.Candidate> candidates = KeyChoice.of(tables.values());
      List<String> columns =
          key.map(List::of).orElse(candidates.stream().map(KeyChoice.Candidate::column).toList());
      if (columns.isEmpty()
          || tables.values().stream().noneMatch(t -> t.hasColumn(columns.get(0)))) {
        throw new ImpossibleException(
            key.isPresent()
                ? "no table has a column %s".formatted(key.get())
                : "no column could be the shard key (an integer, uuid or text that is NOT NULL in some table); name it with --key");
      }
      Collection<Map<TableId, Long>> counts = counts(serving, tables.keySet());
      Draft first = null;
      for (String column : columns.subList(0, Math.min(CANDIDATES, columns.size()))) {
        Draft draft = with(column, candidates, serving, tables, counts);
        if (draft.evidence.isPresent()) {
          return draft;
        }
        first = first == null ? draft : first;
      }
      return first;
    }

    private Draft with(
        String column,
        List<KeyChoice.Candidate> candidates,
        Map<ShardId, ShardContent> serving,
        Map<TableId, Table> tables,
        Collection<Map<TableId, Long>> counts)
        throws InterruptedException {
      Lists lists = Lists.place(serving.values(), counts, column);
      Map<ShardId, Set<String>> keys = keys(serving, lists);
      int count = (BUCKETS + serving.size() - 1) / serving.size() * serving.size();
      return new Draft(
          user,
          urls,
          serving.keySet(),
          column,
          tables.values().stream()
              .filter(table -> table.hasColumn(column))
              .map(table -> table.column(column).type())
              .findFirst()
              .orElse(""),
          candidates.stream()
              .filter(candidate -> !candidate.column().equals(column))
              .limit(CANDIDATES - 1)
              .map(KeyChoice.Candidate::toString)
              .toList(),
          count,
          Evidence.find(keys, count),
          keys.values().stream().anyMatch(some -> !some.isEmpty()),
          lists);
    }

    private Collection<Map<TableId, Long>> counts(
        Map<ShardId, ShardContent> serving, Set<TableId> tables) throws InterruptedException {
      return sessions
          .ask(
              serving.keySet(),
              session -> serving.get(session.shard()).count(session, tables, REFERENCE_PAGES))
          .values()
          .values();
    }

    private Map<ShardId, Set<String>> keys(Map<ShardId, ShardContent> serving, Lists lists)
        throws InterruptedException {
      Map<ShardId, Set<String>> keys = new TreeMap<>();
      serving.keySet().forEach(shard -> keys.put(shard, new HashSet<>()));
      sessions
          .ask(
              serving.keySet(),
              session ->
                  serving
                      .get(session.shard())
                      .keys(session, new HashMap<>(lists.sharded()), KEYS_OF_A_TABLE, KEYS_LIMIT))
          .values()
          .forEach((shard, some) -> keys.get(shard).addAll(some));
      return new TreeMap<>(keys);
    }
  }

  /** Shards that have no rows: new ones. */
  Set<ShardId> unused() {
    Set<ShardId> unused = new TreeSet<>(urls.keySet());
    unused.removeAll(serving);
    return unused;
  }
}

package dev.reshard.preflight;

import dev.reshard.keyspace.ShardId;
import dev.reshard.postgres.ShardSessions;
import dev.reshard.preflight.Unreachable.Hints;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * One session on each shard for a whole check. All shards are looked at side by side, and one that
 * cannot be reached is one finding and hides nothing of the others. Confined to one thread.
 */
public final class CheckSessions implements AutoCloseable {
  private final Map<ShardId, CheckSession> open = new TreeMap<>();
  private final List<Finding> unreachable;
  private final ExecutorService threads;
  private boolean loginIsRefused;

  private CheckSessions(ShardSessions sessions, Collection<ShardId> shards, Hints hints)
      throws InterruptedException {
    threads = Executors.newFixedThreadPool(Math.max(1, shards.size()));
    try {
      Answers<CheckSession> answers =
          ask(
              new TreeSet<>(shards),
              shard -> CheckSession.open(sessions, shard),
              (shard, e) -> {
                Unreachable found = Unreachable.whatever(sessions.address(shard), hints, e);
                loginIsRefused |= found.loginIsRefused();
                return found.finding();
              });
      open.putAll(answers.values());
      unreachable = answers.failures();
    } catch (InterruptedException | RuntimeException e) {
      threads.shutdownNow();
      throw e;
    }
  }

  /**
   * Opens them.
   *
   * @param shards each once
   */
  public static CheckSessions open(ShardSessions sessions, Collection<ShardId> shards)
      throws InterruptedException {
    return open(sessions, shards, Hints.inFile("the migration file"));
  }

  /**
   * The same.
   *
   * @param hints for findings about shards that cannot be reached
   */
  public static CheckSessions open(ShardSessions sessions, Collection<ShardId> shards, Hints hints)
      throws InterruptedException {
    return new CheckSessions(sessions, shards, hints);
  }

  /** Those that can be reached. */
  public Set<ShardId> shards() {
    return open.keySet();
  }

  /** A finding for each of the others. */
  public List<Finding> unreachable() {
    return unreachable;
  }

  /** Whether one of them refused our password. */
  public boolean loginIsRefused() {
    return loginIsRefused;
  }

  /** What one shard is asked. */
  @FunctionalInterface
  public interface Question<T> {
    T ask(CheckSession session) throws SQLException;
  }

  /**
   * What shards answered.
   *
   * @param values of those that did
   * @param failures a blocker for each that could not
   */
  public record Answers<T>(Map<ShardId, T> values, List<Finding> failures) {}

  /** Asks the reachable ones of these shards. */
  public <T> Answers<T> ask(Collection<ShardId> shards, Question<T> question)
      throws InterruptedException {
    Set<ShardId> those = new TreeSet<>(shards);
    those.retainAll(open.keySet());
    return ask(
        those,
        shard -> question.ask(open.get(shard)),
        (shard, e) -> Finding.blocker("could not be checked: " + e.getMessage()).at(shard));
  }

  /** As {@link #ask}, where each answer is findings. */
  List<Finding> look(Collection<ShardId> shards, Question<List<Finding>> question)
      throws InterruptedException {
    Answers<List<Finding>> answers = ask(shards, question);
    List<Finding> findings = new ArrayList<>(answers.failures());
    answers.values().values().forEach(findings::addAll);
    return findings;
  }

  private interface Ask<T> {
    T of(ShardId shard) throws SQLException;
  }

  private interface Failed {
    Finding finding(ShardId shard, SQLException e);
  }

  private <T> Answers<T> ask(Set<ShardId> shards, Ask<T> ask, Failed failed)
      throws InterruptedException {
    Map<ShardId, Future<T>> asked = new TreeMap<>();
    for (ShardId shard : shards) {
      Callable<T> call = () -> ask.of(shard);
      asked.put(shard, threads.submit(call));
    }
    Map<ShardId, T> values = new TreeMap<>();
    List<Finding> failures = new ArrayList<>();
    for (Map.Entry<ShardId, Future<T>> each : asked.entrySet()) {
      try {
        values.put(each.getKey(), each.getValue().get());
      } catch (ExecutionException e) {
        if (!(e.getCause() instanceof SQLException sql)) {
          throw new IllegalStateException(e.getCause());
        }
        failures.add(failed.finding(each.getKey(), sql));
      }
    }
    return new Answers<>(values, failures);
  }

  @Override
  public void close() throws SQLException {
    threads.shutdownNow();
    SQLException failure = null;
    for (CheckSession session : open.values()) {
      try {
        session.close();
      } catch (SQLException e) {
        failure = e;
      }
    }
    if (failure != null) {
      throw failure;
    }
  }
}

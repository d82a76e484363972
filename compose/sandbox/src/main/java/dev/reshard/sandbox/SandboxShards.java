package dev.reshard.sandbox;

import java.sql.SQLException;
import java.util.List;

/** The shards of one test or demo, by name. Immutable and thread-safe. */
public final class SandboxShards implements AutoCloseable {
  private final List<SandboxShard> shards;

  SandboxShards(List<SandboxShard> shards) {
    this.shards = List.copyOf(shards);
  }

  /** All of them, in the order they were asked for. */
  public List<SandboxShard> all() {
    return shards;
  }

  /**
   * One of them.
   *
   * @throws IllegalArgumentException if there is none of that name
   */
  public SandboxShard get(String name) {
    return shards.stream()
        .filter(shard -> shard.name().equals(name))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("no shard " + name + " in " + shards));
  }

  /** Runs statements on every shard as the tables' owner. */
  public void execute(String... statements) throws SQLException {
    for (SandboxShard shard : shards) {
      shard.execute(statements);
    }
  }

  /** Drops every shard's database; tries all of them before it throws. */
  public void drop() throws SQLException {
    SQLException failure = null;
    for (SandboxShard shard : shards) {
      try {
        shard.drop();
      } catch (SQLException e) {
        if (failure == null) {
          failure = e;
        } else {
          failure.addSuppressed(e);
        }
      }
    }
    if (failure != null) {
      throw failure;
    }
  }

  /** As {@link #drop}. */
  @Override
  public void close() throws SQLException {
    drop();
  }
}

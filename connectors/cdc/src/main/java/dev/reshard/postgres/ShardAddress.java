package dev.reshard.postgres;

import dev.reshard.keyspace.ShardId;

/**
 * Where a shard is and who we are there. Immutable. Never printed with its password.
 *
 * @param url a JDBC URL of a direct connection: replication and SET need a session, so never a
 *     transaction pooler
 */
public record ShardAddress(ShardId id, String url, String user, String password) {

  /** Without the password, and without anything that the URL carries behind its question mark. */
  @Override
  public String toString() {
    return "%s (%s as %s)".formatted(id, url.replaceFirst("\\?.*", ""), user);
  }
}

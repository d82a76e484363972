package dev.reshard.keyspace;

import java.util.regex.Pattern;

/**
 * A shard's name: one PostgreSQL database that holds part of the data. Immutable.
 *
 * <p>It becomes part of replication slot and topic names, hence the narrow alphabet (PostgreSQL
 * manual, "Replication Slots": lower-case letters, digits and underscores).
 */
public record ShardId(String name) implements Comparable<ShardId> {
  private static final Pattern VALID = Pattern.compile("[a-z][a-z0-9_]{0,19}");

  public ShardId {
    if (!VALID.matcher(name).matches()) {
      throw new IllegalArgumentException(
          "a shard's name is 1-20 of a-z, 0-9 and _, beginning with a letter; got '%s'"
              .formatted(name));
    }
  }

  @Override
  public int compareTo(ShardId other) {
    return name.compareTo(other.name);
  }

  @Override
  public String toString() {
    return name;
  }
}

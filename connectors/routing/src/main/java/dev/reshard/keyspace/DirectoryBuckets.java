package dev.reshard.keyspace;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Buckets by the user's own lookup table: each key is a bucket of its own. The table is read once,
 * when the keyspace is adopted, and its keys are numbered and stored; from then on the shard map
 * says whose a key is, and the table is its owner's to keep up. Immutable.
 *
 * <p>A key that the table did not have then lies in no bucket ({@link #NO_BUCKET}), for the whole
 * life of the keyspace: its rows stay where the application puts them, no guard stops them, and
 * they are no strays.
 *
 * <p>On a shard the numbers are part of a function, and no table: a guard that looked into a table
 * would see it as of the writer's snapshot, which may be older than the migration.
 */
public final class DirectoryBuckets implements Partitioning {
  private final String keyspace;
  private final String query;
  private final Optional<List<String>> keys;
  private final Map<String, Integer> numbers = new HashMap<>();

  private DirectoryBuckets(String keyspace, String query, Optional<List<String>> keys) {
    this.keyspace = keyspace;
    this.query = query;
    this.keys = keys;
    for (String key : keys.orElse(List.of())) {
      if (numbers.put(key, numbers.size()) != null) {
        throw new IllegalArgumentException("a key stands twice in the directory");
      }
    }
  }

  /**
   * Of a table that is still to be read.
   *
   * @param query whose rows are a key and the name of its shard
   */
  public static DirectoryBuckets of(String keyspace, String query) {
    return new DirectoryBuckets(keyspace, query.strip(), Optional.empty());
  }

  /**
   * The same, with its keys.
   *
   * @param inOrder as PostgreSQL writes them as text; bucket i is the key at index i
   * @throws IllegalArgumentException if one stands there twice, or there cannot be so many buckets
   */
  public DirectoryBuckets withKeys(List<String> inOrder) {
    HashBuckets.checkCount(inOrder.size());
    return new DirectoryBuckets(keyspace, query, Optional.of(List.copyOf(inOrder)));
  }

  public String query() {
    return query;
  }

  public boolean isRead() {
    return keys.isPresent();
  }

  /**
   * The keys, in the order of their buckets.
   *
   * @throws IllegalStateException if nobody has read them
   */
  public List<String> keys() {
    return keys.orElseThrow(
        () -> new IllegalStateException("the keys of '%s' were not read".formatted(describe())));
  }

  @Override
  public int count() {
    return keys().size();
  }

  @Override
  public int bucketOf(String keyText) {
    keys();
    return numbers.getOrDefault(keyText, NO_BUCKET);
  }

  @Override
  public boolean isPartial() {
    return true;
  }

  @Override
  public String sql(String expression) {
    return "%s((%s)::pg_catalog.text)".formatted(function(), expression);
  }

  /**
   * A constant of type {@code jsonb} is searched by halving; PL/pgSQL keeps it parsed for a
   * session.
   */
  @Override
  public Optional<String> sqlSetup() {
    String body =
        "BEGIN RETURN (%s::pg_catalog.jsonb OPERATOR(pg_catalog.->) key)::pg_catalog.int4; END"
            .formatted(literal(json()));
    return Optional.of(
        """
        CREATE OR REPLACE FUNCTION %1$s(key pg_catalog.text) RETURNS integer
        LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS %2$s;
        GRANT EXECUTE ON FUNCTION %1$s(pg_catalog.text) TO PUBLIC"""
            .formatted(function(), literal(body)));
  }

  private String function() {
    return "reshard." + TableId.quote("directory_" + keyspace);
  }

  private String json() {
    StringBuilder json = new StringBuilder("{");
    for (String key : keys()) {
      json.append(json.length() == 1 ? "" : ",").append('"');
      key.chars().forEach(c -> escape(json, (char) c));
      json.append("\":").append(numbers.get(key));
    }
    return json.append('}').toString();
  }

  private static void escape(StringBuilder json, char c) {
    if (c == '"' || c == '\\') {
      json.append('\\').append(c);
    } else if (c < ' ') {
      json.append("\\u%04x".formatted((int) c));
    } else {
      json.append(c);
    }
  }

  private static String literal(String text) {
    return "'" + text.replace("'", "''") + "'";
  }

  @Override
  public Optional<String> objectionTo(String type) {
    return HashBuckets.hasOneText(type)
        ? Optional.empty()
        : Optional.of(
            "whose text is not the same in every session, or not for all equal values; a directory"
                + " has keys of type smallint, integer, bigint, numeric(n,0), text, varchar and uuid");
  }

  @Override
  public String describe() {
    return "directory '%s'".formatted(query);
  }
}

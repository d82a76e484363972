package dev.reshard.keyspace;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Pattern;

/**
 * The buckets of rows that lie where PostgreSQL's own {@code PARTITION BY HASH (key)} with modulus
 * {@code count} puts them: bucket {@code r} is the partition {@code WITH (MODULUS count, REMAINDER
 * r)}. PgDog, and partitions on foreign servers, place rows so. Immutable.
 *
 * <p>PostgreSQL hashes a number other than its text, so the key's type matters. It is written in
 * the migration file, and not looked up: a router has no catalog, and a stored map must name it,
 * since the same text lies elsewhere as another type. {@code check} compares it with every table.
 *
 * @param type what the key is hashed as, the same in all tables
 */
public record PostgresBuckets(Type type, int count) implements Partitioning {

  /** Types of one hash operator family, of which equal values have equal hashes. */
  public enum Type {
    /** Also smallint and integer. */
    BIGINT("smallint|integer|bigint"),
    /** Also varchar. Of a deterministic collation: another would hash what it takes for equal. */
    TEXT("text|character varying(\\(\\d+\\))?"),
    UUID("uuid");

    private final Pattern names;

    Type(String names) {
      this.names = Pattern.compile(names);
    }

    /** The name in migration.yaml. */
    public String word() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private static final int UUID_LENGTH = 36;

  public PostgresBuckets {
    HashBuckets.checkCount(count);
  }

  @Override
  public int bucketOf(String keyText) {
    long hash =
        switch (type) {
          case BIGINT -> PostgresHash.ofInteger(Long.parseLong(keyText));
          case TEXT -> PostgresHash.ofBytes(keyText.getBytes(StandardCharsets.UTF_8));
          case UUID -> PostgresHash.ofBytes(bytes(keyText));
        };
    return (int) Long.remainderUnsigned(PostgresHash.combined(hash), count);
  }

  private static byte[] bytes(String text) {
    if (text.length() != UUID_LENGTH) {
      throw new IllegalArgumentException("not a uuid as PostgreSQL writes it");
    }
    UUID uuid = UUID.fromString(text);
    return ByteBuffer.allocate(2 * Long.BYTES)
        .putLong(uuid.getMostSignificantBits())
        .putLong(uuid.getLeastSignificantBits())
        .array();
  }

  /**
   * Native, below 0.1 us (CPU time, measured on PostgreSQL 17.11). The sum of the hash and {@link
   * PostgresHash#COMBINED} as unsigned numbers of 64 bits would overflow PostgreSQL's signed ones,
   * so it is taken mod count term by term:
   *
   * <pre>
   * hash + COMBINED + (2^64 if hash &lt; -COMBINED: what a signed hash lacks and the sum does not lose again)
   * </pre>
   *
   * The last term is left out where it is 0 mod count: for every power of two.
   */
  @Override
  public String sql(String expression) {
    String hash = sqlHash(expression);
    long added = Long.remainderUnsigned(PostgresHash.COMBINED, count) + count;
    long wrapped = (Long.remainderUnsigned(-1, count) + 1) % count;
    String unlessWrapped =
        wrapped == 0
            ? ""
            : " OPERATOR(pg_catalog.+) CASE WHEN %s OPERATOR(pg_catalog.<) (%d) THEN %d ELSE 0 END"
                .formatted(hash, -PostgresHash.COMBINED, wrapped);
    return "(((%s OPERATOR(pg_catalog.%%) %3$d) OPERATOR(pg_catalog.+) %2$d%4$s) OPERATOR(pg_catalog.%%) %3$d)::pg_catalog.int4"
        .formatted(hash, added, count, unlessWrapped);
  }

  private String sqlHash(String expression) {
    String hash =
        switch (type) {
          case BIGINT -> "pg_catalog.hashint8extended((%s)::pg_catalog.int8, %d)";
          case TEXT ->
              "pg_catalog.hashtextextended((%s)::pg_catalog.text COLLATE pg_catalog.\"C\", %d)";
          case UUID -> "pg_catalog.uuid_hash_extended((%s)::pg_catalog.uuid, %d)";
        };
    return hash.formatted(expression, PostgresHash.SEED);
  }

  @Override
  public Optional<String> objectionTo(String columnType) {
    if (type.names.matcher(columnType).matches()) {
      return Optional.empty();
    }
    for (Type other : Type.values()) {
      if (other.names.matcher(columnType).matches()) {
        return Optional.of(
            "but keyspace.buckets says type %s; write %s, if that is how your rows were placed"
                .formatted(type.word(), other.word()));
      }
    }
    return Optional.of(
        "whose PostgreSQL hash we do not know; function postgres places keys of type smallint,"
            + " integer, bigint, text, varchar and uuid");
  }

  @Override
  public String describe() {
    return "postgres hash of %s into %d".formatted(type.word(), count);
  }
}

package dev.reshard.keyspace;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/** Shard keys as PostgreSQL writes them: the corners of each type, then random ones. */
final class RandomKeys {
  private final Random random;
  private final int howMany;

  /** Keys of one seed, the same again and again; the seed is printed. */
  RandomKeys(long seed, int howMany) {
    System.out.printf("keys of seed %d%n", seed);
    this.random = new Random(seed);
    this.howMany = howMany;
  }

  /**
   * Keys of a type, or of a domain over it.
   *
   * @param type as {@code format_type} writes it
   */
  List<String> of(String type) {
    return switch (type) {
      case "smallint" -> integers(Short.MIN_VALUE, Short.MAX_VALUE);
      case "integer" -> integers(Integer.MIN_VALUE, Integer.MAX_VALUE);
      case "bigint" -> integers(Long.MIN_VALUE, Long.MAX_VALUE);
      case "numeric(20,0)" ->
          Stream.concat(
                  Stream.of("99999999999999999999", "-99999999999999999999"),
                  integers(Long.MIN_VALUE, Long.MAX_VALUE).stream())
              .toList();
      case "text", "character varying", "character varying(60)" -> texts();
      case "uuid" -> uuids();
      default -> throw new IllegalArgumentException("no keys of type " + type);
    };
  }

  private List<String> integers(long least, long most) {
    LongStream corners =
        LongStream.of(0, 1, -1, -2, -7, 65_536, -65_536, 1L << 32, -1L << 32, least, most);
    LongStream any = LongStream.generate(random::nextLong).map(l -> l >> random.nextInt(Long.SIZE));
    return LongStream.concat(corners, any)
        .filter(l -> l >= least && l <= most)
        .limit(howMany)
        .mapToObj(Long::toString)
        .toList();
  }

  private List<String> texts() {
    List<String> texts =
        new ArrayList<>(
            List.of(
                "", " ", "a ", "42", "ß", "ẞ", "日本語", "🦆🦆", "e\u0301", "é", "'", "\\", "\\x41"));
    for (int length = 1; length <= 60; length++) {
      texts.add("x".repeat(length)); // every length of a last block
    }
    while (texts.size() < howMany) {
      texts.add(
          random
              .ints(random.nextInt(60), 1, random.nextBoolean() ? 0x7f : 0x1ffff)
              .filter(point -> point < Character.MIN_SURROGATE || point > Character.MAX_SURROGATE)
              .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
              .toString());
    }
    return texts;
  }

  private List<String> uuids() {
    return Stream.concat(
            Stream.of(new UUID(0, 0), new UUID(-1, -1)),
            Stream.generate(() -> new UUID(random.nextLong(), random.nextLong())))
        .limit(howMany)
        .map(UUID::toString)
        .toList();
  }
}

package dev.reshard.spec;

import dev.reshard.keyspace.HashBuckets;
import dev.reshard.keyspace.Partitioning;
import dev.reshard.keyspace.PostgresBuckets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Reads {@code keyspace.buckets}: the function that placed the rows, and the number of buckets.
 * Stateless.
 */
final class Placements {
  private static final String POSTGRES = "postgres";

  /** A function or a table of the user's, of which routers and lanes could not tell a bucket. */
  private static final List<String> OF_YOUR_OWN = List.of("sql", "directory");

  private static final Map<String, HashBuckets.Function> HASHES =
      Arrays.stream(HashBuckets.Function.values())
          .collect(Collectors.toMap(HashBuckets.Function::word, Function.identity()));

  private static final Map<String, PostgresBuckets.Type> TYPES =
      Arrays.stream(PostgresBuckets.Type.values())
          .collect(Collectors.toMap(PostgresBuckets.Type::word, Function.identity()));

  private Placements() {}

  static Partitioning read(Yaml node) {
    String function = node.required("function", Placements::function).orElse("");
    int count = node.required("count", Placements::count).orElse(1);
    Partitioning partitioning;
    if (function.equals(POSTGRES)) {
      PostgresBuckets.Type type =
          node.required("type", Placements::type).orElse(PostgresBuckets.Type.BIGINT);
      partitioning = new PostgresBuckets(type, count);
    } else {
      if (node.has("type") && !function.isEmpty()) {
        node.problem("type", "only function postgres has one; leave it out");
      }
      partitioning =
          new HashBuckets(HASHES.getOrDefault(function, HashBuckets.Function.MODULO), count);
    }
    for (String own : OF_YOUR_OWN) {
      if (node.has(own)) {
        node.problem(
            own,
            "placement by your own function or table is not supported; if one of the functions gives the same, name that");
      }
    }
    node.refuseUnknown();
    return partitioning;
  }

  private static String function(String text) {
    List<String> words = new ArrayList<>();
    Arrays.stream(HashBuckets.Function.values()).forEach(hash -> words.add(hash.word()));
    words.add(POSTGRES);
    return oneOf(
        words,
        text,
        Near.of(text, words).map("did you mean %s? "::formatted).orElse("")
            + "It must be the function that placed your rows");
  }

  private static PostgresBuckets.Type type(String text) {
    List<String> words =
        Arrays.stream(PostgresBuckets.Type.values()).map(PostgresBuckets.Type::word).toList();
    return TYPES.get(
        oneOf(words, text, "bigint stands for smallint and integer too, text for varchar"));
  }

  private static String oneOf(List<String> words, String text, String note) {
    if (!words.contains(text)) {
      throw new IllegalArgumentException(
          "'%s' is not one of %s; %s".formatted(text, String.join(", ", words), note));
    }
    return text;
  }

  private static int count(String text) {
    return new HashBuckets(HashBuckets.Function.MODULO, SpecReader.positive(text)).count();
  }
}

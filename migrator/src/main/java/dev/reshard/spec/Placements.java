package dev.reshard.spec;

import dev.reshard.keyspace.DirectoryBuckets;
import dev.reshard.keyspace.HashBuckets;
import dev.reshard.keyspace.Partitioning;
import dev.reshard.keyspace.PostgresBuckets;
import dev.reshard.keyspace.SqlBuckets;
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

  private static final String SQL = "sql";
  private static final String DIRECTORY = "directory";

  private static final Map<String, HashBuckets.Function> HASHES =
      Arrays.stream(HashBuckets.Function.values())
          .collect(Collectors.toMap(HashBuckets.Function::word, Function.identity()));

  private static final Map<String, PostgresBuckets.Type> TYPES =
      Arrays.stream(PostgresBuckets.Type.values())
          .collect(Collectors.toMap(PostgresBuckets.Type::word, Function.identity()));

  private Placements() {}

  static Partitioning read(Yaml node, String keyspace) {
    if (node.has(DIRECTORY)) {
      for (String other : List.of("function", "type", "count", SQL)) {
        if (node.has(other)) {
          node.problem(other, "each key of a directory is a bucket; leave it out");
        }
      }
      String query = node.required(DIRECTORY, Function.identity()).orElse("?");
      node.refuseUnknown();
      return DirectoryBuckets.of(keyspace, query);
    }
    Partitioning partitioning = node.has(SQL) ? own(node) : known(node);
    node.refuseUnknown();
    return partitioning;
  }

  private static Partitioning own(Yaml node) {
    for (String other : List.of("function", "type")) {
      if (node.has(other)) {
        node.problem(other, "sql names your own function already; leave it out");
      }
    }
    int count = node.required("count", Placements::count).orElse(1);
    return node.required(SQL, call -> SqlBuckets.of(call, count))
        .map(Partitioning.class::cast)
        .orElseGet(() -> new HashBuckets(HashBuckets.Function.MODULO, count));
  }

  private static Partitioning known(Yaml node) {
    String function = node.required("function", Placements::function).orElse("");
    int count = node.required("count", Placements::count).orElse(1);
    if (function.equals(POSTGRES)) {
      PostgresBuckets.Type type =
          node.required("type", Placements::type).orElse(PostgresBuckets.Type.BIGINT);
      return new PostgresBuckets(type, count);
    }
    if (node.has("type") && !function.isEmpty()) {
      node.problem("type", "only function postgres has one; leave it out");
    }
    return new HashBuckets(HASHES.getOrDefault(function, HashBuckets.Function.MODULO), count);
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

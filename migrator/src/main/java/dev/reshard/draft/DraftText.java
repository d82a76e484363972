package dev.reshard.draft;

import dev.reshard.keyspace.HashBuckets;
import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * A draft as YAML. What is not known is left out under a comment {@code # QUESTION}, so that the
 * file is refused until somebody has answered. Stateless.
 */
final class DraftText {
  /** What marks a line that somebody has to look at. */
  static final String QUESTION = "# QUESTION: ";

  private static final Set<String> INTEGERS = Set.of("smallint", "integer", "bigint");

  private DraftText() {}

  static String of(Draft draft) {
    List<String> lines = new ArrayList<>();
    lines.add(
        "# Drafted by 'reshard init' from catalogs and a sample of keys. Answer each QUESTION, then");
    lines.add("# run 'reshard check': what is left out here is refused until it is there.");
    lines.add(
        QUESTION + "what shall the migration be called? It names topics and replication slots.");
    lines.add("migration: move");
    lines.add(
        "login: { user: %s, password: \"${env:RESHARD_PASSWORD}\" }"
            .formatted(quoted(draft.user())));
    lines.add("shards: # direct addresses, no connection pooler; add new shards here");
    draft.urls().forEach((shard, url) -> lines.add("  %s: %s".formatted(shard, quoted(url))));
    lines.add("control: %s # keeps the map and the migration's state".formatted(first(draft)));
    lines.add(
        QUESTION
            + "where is Kafka? Write bootstrap.servers: \"host:port,..\", and what else a client needs; or, for a rehearsal without one, kafka: embedded");
    lines.add("kafka: {}");
    lines.add("keyspace:");
    lines.add("  name: app");
    key(draft, lines);
    buckets(draft, lines);
    tables(draft.lists(), lines);
    owners(draft, lines);
    return String.join("\n", lines) + "\n";
  }

  private static void key(Draft draft, List<String> lines) {
    lines.add(
        "  %sis this the shard key? %d of %d tables have it%s."
            .formatted(
                QUESTION,
                draft.lists().sharded().size(),
                draft.lists().sharded().size()
                    + draft.lists().reference().size()
                    + draft.lists().ignored().size()
                    + draft.lists().open().size(),
                draft.runnersUp().isEmpty()
                    ? ""
                    : "; next come " + String.join(", ", draft.runnersUp())));
    lines.add("  key: " + quoted(draft.key()));
  }

  private static void buckets(Draft draft, List<String> lines) {
    lines.add(
        "  # %d buckets: a multiple of %d shards. It cannot be changed later: rows would change buckets."
            .formatted(draft.count(), draft.serving().size()));
    String proposed = INTEGERS.contains(draft.keyType()) ? "modulo" : "md5";
    if (draft.evidence().isPresent()) {
      Evidence evidence = draft.evidence().get();
      lines.add(
          "  %sis this what your application does? All of %d different keys that were looked at agree."
              .formatted(QUESTION, evidence.keys()));
      lines.add(
          "  buckets: { function: %s, count: %d }"
              .formatted(evidence.function().word(), draft.count()));
    } else if (draft.serving().size() < 2) {
      lines.add(
          "  %sone shard has all rows, so that any function would do; which one shall place them from now on?"
              .formatted(QUESTION));
      lines.add("  buckets: { function: %s, count: %d }".formatted(proposed, draft.count()));
    } else {
      lines.add(
          draft.sawKeys()
              ? "  %swhich function placed your rows? None of %s agrees with a sample of keys, or there are too few."
                  .formatted(QUESTION, words())
              : "  %swhich function placed your rows? No key could be seen: may %s read the tables? Draft again once it is a member of their owner."
                  .formatted(QUESTION, draft.user()));
      lines.add(
          "  # For a key of type %s, %s would be usual: buckets: { function: %s, count: %d }"
              .formatted(draft.keyType(), proposed, proposed, draft.count()));
      lines.add(
          "  # Your own function: { sql: \"app.bucket_of({key})\", count: %d }; your own table: { directory: \"select key, shard from app.t\" }"
              .formatted(draft.count()));
      lines.add("  buckets: { count: %d }".formatted(draft.count()));
    }
  }

  private static String words() {
    return List.of(HashBuckets.Function.values()).stream()
        .map(HashBuckets.Function::word)
        .collect(Collectors.joining(", "));
  }

  private static void tables(Lists lists, List<String> lines) {
    lines.add("  tables:");
    lines.add("    sharded: " + list(lists.shardedPatterns()));
    Map<TableId, String> keyOf =
        lists.sharded().entrySet().stream()
            .filter(entry -> !entry.getValue().equals(commonKey(lists)))
            .collect(
                Collectors.toMap(
                    Map.Entry::getKey, Map.Entry::getValue, (a, b) -> a, TreeMap::new));
    if (!keyOf.isEmpty()) {
      lines.add("    key_of: # the shard key refers to these columns");
      keyOf.forEach(
          (id, column) ->
              lines.add("      %s: %s".formatted(quoted(id.toString()), quoted(column))));
    }
    if (!lists.reference().isEmpty()) {
      lines.add(
          "    "
              + QUESTION
              + "are these the same on every shard, and shall stay so? They are small, have as many rows everywhere, and others refer to them.");
    }
    lines.add("    reference: " + names(lists.reference()));
    if (!lists.ignored().isEmpty()) {
      lines.add("    # of extensions, or of tools that roll out schemas");
    }
    lines.add("    ignored: " + names(lists.ignored()));
    if (!lists.open().isEmpty()) {
      lines.add(
          "    "
              + QUESTION
              + "into which list does each of these belong? They have no shard key; 'reshard check' refuses the file until they are in one.");
      lists
          .open()
          .forEach(
              (id, column) ->
                  lines.add(
                      "    #   "
                          + id
                          + (column.isEmpty()
                              ? ""
                              : "   (by its name perhaps sharded, with key_of: { %s: %s })"
                                  .formatted(id, column))));
    }
  }

  private static String commonKey(Lists lists) {
    return lists.sharded().values().stream()
        .collect(Collectors.groupingBy(column -> column, Collectors.counting()))
        .entrySet()
        .stream()
        .max(Map.Entry.comparingByValue())
        .map(Map.Entry::getKey)
        .orElse("");
  }

  private static void owners(Draft draft, List<String> lines) {
    int n = draft.serving().size();
    if (draft.evidence().isPresent()) {
      lines.add(
          "# Who owns what today, as the sample has it; every row is looked at when it is copied.");
      lines.add(
          "from: { %s }"
              .formatted(
                  draft.evidence().get().remainders().entrySet().stream()
                      .map(e -> "%s: %d mod %d".formatted(e.getKey(), e.getValue(), n))
                      .collect(Collectors.joining(", "))));
    } else if (n < 2) {
      lines.add("from: { %s: 0 mod 1 }".formatted(first(draft)));
    } else {
      lines.add(QUESTION + "which buckets has each shard today? As 'a: 0 mod 2', or 'a: [0-511]'.");
      lines.add("from: {}");
    }
    lines.add(
        "%swhich shards shall own buckets?%s"
            .formatted(
                QUESTION, draft.unused().isEmpty() ? " These do already: add the new ones." : ""));
    lines.add(
        "to: { balance: %s }"
            .formatted(list(draft.urls().keySet().stream().map(ShardId::name).toList())));
  }

  private static String first(Draft draft) {
    return draft.serving().iterator().next().name();
  }

  private static String names(Collection<TableId> ids) {
    return list(ids.stream().map(TableId::toString).toList());
  }

  private static String list(List<String> words) {
    return words.stream().map(DraftText::quoted).collect(Collectors.joining(", ", "[", "]"));
  }

  private static String quoted(String text) {
    return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
  }
}

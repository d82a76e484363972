package dev.reshard.sandbox;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;

/** The server settings that every engine starts PostgreSQL with. */
final class PostgresSettings {
  private static final Map<String, String> DEFAULTS =
      Map.ofEntries(
          // Tests measure how long writers wait, and kill servers: commits must really reach the
          // disk.
          Map.entry("fsync", "on"),
          Map.entry("synchronous_commit", "on"),
          Map.entry("full_page_writes", "on"),
          Map.entry("wal_level", "logical"),
          Map.entry("max_wal_senders", "20"),
          Map.entry("max_replication_slots", "30"),
          Map.entry("max_connections", "200"),
          Map.entry("max_prepared_transactions", "10"),
          Map.entry("shared_buffers", "128MB"),
          Map.entry("max_wal_size", "2GB"),
          Map.entry("log_min_messages", "warning"),
          Map.entry("log_line_prefix", "%m [%p] %q%u@%d %a "),
          Map.entry("log_timezone", "UTC"),
          Map.entry("timezone", "UTC"));

  private PostgresSettings() {}

  /** The defaults, with {@code extra} taking their place or joining them. */
  static Map<String, String> with(Map<String, String> extra) {
    Map<String, String> settings = new LinkedHashMap<>(DEFAULTS);
    settings.putAll(extra);
    return Map.copyOf(settings);
  }

  /** As lines of {@code postgresql.conf}. */
  static String asConf(Map<String, String> settings) {
    return settings.entrySet().stream()
        .map(entry -> "%s = '%s'%n".formatted(entry.getKey(), entry.getValue().replace("'", "''")))
        .sorted()
        .collect(Collectors.joining());
  }
}

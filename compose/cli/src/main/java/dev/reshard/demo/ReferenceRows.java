package dev.reshard.demo;

import dev.reshard.sandbox.SandboxShard;
import java.sql.SQLException;
import java.util.Optional;

/** The rows of the reference table {@code plans}, which are to be the same on every shard. */
final class ReferenceRows {
  private ReferenceRows() {}

  /** All they say, in 128 bits; empty if the shard has no such table, or no row in it. */
  static Optional<String> digest(SandboxShard shard) throws SQLException {
    if (shard.query("SELECT 1 WHERE to_regclass('public.plans') IS NOT NULL").isEmpty()) {
      return Optional.empty();
    }
    return Optional.ofNullable(
        shard.query("SELECT md5(string_agg(r::text, ',' ORDER BY id)) FROM public.plans r").get(0));
  }
}

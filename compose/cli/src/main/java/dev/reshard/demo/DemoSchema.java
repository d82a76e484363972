package dev.reshard.demo;

import dev.reshard.sandbox.SandboxShard;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;

/** The demo's tables, with the rows of the reference table. Stateless. */
public final class DemoSchema {
  /** How far apart the shards' order ids begin: they never meet. */
  private static final long IDS_PER_SHARD = 1L << 32;

  private DemoSchema() {}

  /**
   * Makes the tables on a shard that has none.
   *
   * @param ordinal a number that no other shard has, from 0
   */
  public static void create(SandboxShard shard, int ordinal) throws SQLException {
    shard.execute(
        "BEGIN;"
            + script()
            + "ALTER SEQUENCE orders_id_seq RESTART WITH %d;".formatted(ordinal * IDS_PER_SHARD + 1)
            + "COMMIT");
  }

  private static String script() {
    try (InputStream in = DemoSchema.class.getResourceAsStream("schema.sql")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read schema.sql", e);
    }
  }
}

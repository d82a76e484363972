package dev.reshard.draft;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.keyspace.ShardId;
import dev.reshard.keyspace.TableId;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class DraftTextTest {
  private static final ShardId A = new ShardId("a");
  private static final ShardId B = new ShardId("b");

  @Test
  void whoMayReadNoKeyIsToldSo() {
    assertTrue(draft(false).contains("No key could be seen: may mover read the tables?"));
    assertTrue(draft(true).contains("agrees with a sample of keys, or there are too few"));
  }

  @Test
  void aTableThatTheKeyIsNamedAfterIsProposedWithItsKey() {
    String text = draft(true);
    assertTrue(
        text.contains(
            "#   public.tenants   (by its name perhaps sharded, with key_of: { public.tenants: id })\n"),
        text);
    assertTrue(text.contains("#   public.jobs\n"), text);
  }

  private static String draft(boolean sawKeys) {
    return new Draft(
            "mover",
            Map.of(A, "jdbc:postgresql://a/x", B, "jdbc:postgresql://b/x"),
            Set.of(A, B),
            "tenant_id",
            "bigint",
            List.of(),
            1024,
            Optional.empty(),
            sawKeys,
            new Lists(
                Map.of(new TableId("public", "orders"), "tenant_id"),
                Set.of(),
                Set.of(),
                Map.of(new TableId("public", "tenants"), "id", new TableId("public", "jobs"), "")))
        .yaml();
  }
}

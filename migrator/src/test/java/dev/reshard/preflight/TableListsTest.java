package dev.reshard.preflight;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reshard.keyspace.HashBuckets;
import dev.reshard.keyspace.Keyspace.ShardedTable;
import dev.reshard.keyspace.TableId;
import dev.reshard.spec.Spec;
import dev.reshard.spec.Spec.KeyspaceSpec;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class TableListsTest {
  private static final TableId ORDERS = new TableId("public", "orders");
  private static final TableId COUNTRY = new TableId("public", "country");
  private static final TableId AUDIT = new TableId("public", "audit");
  private static final List<TableId> TABLES = List.of(ORDERS, COUNTRY, AUDIT);

  @Test
  void aNameBeatsTheWildcardOfAnotherList() {
    TableLists lists =
        place(List.of("public.*"), List.of("public.country"), List.of("public.audit"));
    assertEquals(List.of(), lists.problems());
    assertEquals(List.of(new ShardedTable(ORDERS, "customer")), lists.keyspace().sharded());
    assertEquals(List.of(COUNTRY), lists.keyspace().reference());
  }

  @Test
  void aTableMayHaveAShardKeyOfItsOwn() {
    KeyspaceSpec spec = spec(Map.of(AUDIT, "who"), List.of("public.*"), List.of(), List.of());
    assertEquals(
        List.of(
            new ShardedTable(ORDERS, "customer"),
            new ShardedTable(COUNTRY, "customer"),
            new ShardedTable(AUDIT, "who")),
        TableLists.place(TABLES, spec).keyspace().sharded());
  }

  @Test
  void aTableInNoListIsAProblem() {
    assertProblem(
        "public.audit: is in no list",
        place(List.of("public.orders"), List.of("public.country"), List.of()));
  }

  @Test
  void aTableInTwoListsIsAProblem() {
    assertProblem(
        "public.orders: is in 2 lists",
        place(List.of("public.*", "public.orders"), List.of("public.orders"), List.of()));
    assertEquals(3, place(List.of("public.*"), List.of("public.*"), List.of()).problems().size());
  }

  @Test
  void aNamedTableThatIsNotThereIsAProblem() {
    assertProblem(
        "public.order: the file names it, but no shard has such a table",
        place(List.of("public.order", "public.*"), List.of(), List.of()));
    assertProblem(
        "public.countries: the file names it, but no shard has such a table",
        place(List.of("public.*"), List.of("public.countries"), List.of()));
  }

  @Test
  void whatIsToBeCopiedFirstMustBeCopied() {
    TableLists lists =
        place(List.of("public.*"), List.of("public.country"), List.of("public.audit"));
    Spec.Copy copy =
        new Spec.Copy(
            OptionalInt.empty(),
            1,
            1,
            List.of(AUDIT, COUNTRY, ORDERS),
            Duration.ofMinutes(1),
            Duration.ofHours(1));
    List<Finding> problems = TableLists.unknownFirst(copy, lists.keyspace());
    assertEquals(1, problems.size(), problems.toString());
    assertEquals(
        "copy.first names it, but it is no sharded or reference table", problems.get(0).what());
  }

  @Test
  void aKeyOfATableThatIsNotShardedIsAProblem() {
    KeyspaceSpec spec =
        spec(
            Map.of(COUNTRY, "code", new TableId("public", "order"), "buyer"),
            List.of("public.*"),
            List.of("public.country"),
            List.of());
    List<Finding> problems = TableLists.place(TABLES, spec).problems();
    assertEquals(2, problems.size(), problems.toString());
    problems.forEach(p -> assertTrue(p.what().contains("keyspace.tables.key_of"), p.what()));
  }

  private static TableLists place(
      List<String> sharded, List<String> reference, List<String> ignored) {
    return TableLists.place(TABLES, spec(Map.of(), sharded, reference, ignored));
  }

  private static KeyspaceSpec spec(
      Map<TableId, String> keyOf,
      List<String> sharded,
      List<String> reference,
      List<String> ignored) {
    return new KeyspaceSpec(
        "shop",
        "customer",
        new HashBuckets(HashBuckets.Function.MODULO, 8),
        sharded,
        keyOf,
        reference,
        ignored,
        List.of());
  }

  private static void assertProblem(String what, TableLists lists) {
    List<String> lines = FindingLines.of(lists.problems());
    assertEquals(1, lines.size(), lines.toString());
    assertTrue(lines.get(0).startsWith(what), lines.get(0));
  }
}

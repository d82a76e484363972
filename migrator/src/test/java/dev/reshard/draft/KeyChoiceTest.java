package dev.reshard.draft;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reshard.keyspace.TableId;
import dev.reshard.postgres.Column;
import dev.reshard.postgres.Table;
import java.util.List;
import org.junit.jupiter.api.Test;

class KeyChoiceTest {
  @Test
  void theColumnThatMostTablesShareComesFirst() {
    assertEquals(
        List.of("tenant_id (2 tables)", "place_id (1 table)"),
        texts(
            table("orders", List.of("id"), "id", "tenant_id", "place_id"),
            table("items", List.of("id"), "id", "tenant_id")));
  }

  @Test
  void aColumnThatNamesTheRowsAloneIsNone() {
    assertEquals(List.of(), texts(table("orders", List.of("id"), "id")));
  }

  @Test
  void amongEqualsOneThatRefersToSomethingComesFirst() {
    assertEquals(
        List.of("tenant_id (1 table)", "id (1 table)"),
        texts(table("orders", List.of("id", "tenant_id"), "id", "tenant_id")));
  }

  private static List<String> texts(Table... tables) {
    return KeyChoice.of(List.of(tables)).stream().map(KeyChoice.Candidate::toString).toList();
  }

  private static Table table(String name, List<String> primaryKey, String... columns) {
    return new Table(
        new TableId("public", name),
        1,
        false,
        List.of(columns).stream()
            .map(column -> new Column(column, "bigint", true, false, false, false))
            .toList(),
        primaryKey,
        new Table.ReplicaIdentity(primaryKey, false, "DEFAULT"),
        List.of(),
        List.of());
  }
}

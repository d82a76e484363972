package dev.reshard.schema;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class CreationOrderTest {
  @Test
  void eachComesAfterWhatItNeedsElseByKindAndName() {
    assertEquals(
        List.of("TABLE b", "FUNCTION of_b", "TABLE a", "TABLE c", "VIEW v"),
        identities(
            object(ObjectKind.VIEW, "v", "TABLE c"),
            object(ObjectKind.TABLE, "c"),
            object(ObjectKind.TABLE, "a", "FUNCTION of_b"),
            object(ObjectKind.FUNCTION, "of_b", "TABLE b", "ROLE known elsewhere"),
            object(ObjectKind.TABLE, "b")));
  }

  @Test
  void whatNeedsItselfComesLastAndIsAnObstacle() {
    List<SchemaObject> sorted =
        CreationOrder.of(
            List.of(
                object(ObjectKind.DOMAIN, "d", "FUNCTION f"),
                object(ObjectKind.FUNCTION, "f", "DOMAIN d"),
                object(ObjectKind.TABLE, "t")));
    assertEquals("TABLE t", sorted.get(0).identity());
    assertEquals("", sorted.get(0).obstacle());
    assertTrue(sorted.get(1).obstacle().contains("FUNCTION f"), sorted.get(1).obstacle());
    assertEquals(3, sorted.size());
  }

  private static List<String> identities(SchemaObject... objects) {
    return CreationOrder.of(List.of(objects)).stream().map(SchemaObject::identity).toList();
  }

  private static SchemaObject object(ObjectKind kind, String name, String... needs) {
    return SchemaObjects.object(kind, name, "", Map.of(), needs);
  }
}

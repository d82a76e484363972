package dev.reshard.schema;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reshard.keyspace.ShardId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class SchemaTest {
  @Test
  void thePartitionedTableIsFoundByItsNameWhateverThatHolds() {
    for (String root : List.of("s.t", "s.\"t FOR VALUES\"", "\"a \"\" b\".\"t DEFAULT \"\"\"")) {
      Schema schema =
          schema(
              List.of(
                  table(root, ""),
                  table("s.\"t\"", ""),
                  table("s.part", root + " FOR VALUES IN (' ', '\"')"),
                  table("s.leaf", "s.part DEFAULT")));
      assertEquals(
          List.of("TABLE s.part", "TABLE " + root),
          schema.parentsOf(schema.objects().get("TABLE s.leaf")).stream()
              .map(SchemaObject::identity)
              .toList());
      assertEquals(List.of(), schema.parentsOf(schema.objects().get("TABLE " + root)));
    }
  }

  /** Looking through all objects for each would take minutes. */
  @Test
  @Timeout(60)
  void theParentsOfManyPartitionsAreFoundAtOnce() {
    int many = 100_000;
    List<SchemaObject> objects = new ArrayList<>();
    for (int i = 0; i < many; i++) {
      objects.add(table("s.p" + i, "s.t FOR VALUES IN (%d)".formatted(i)));
    }
    objects.add(table("s.t", ""));
    Schema schema = schema(objects);
    assertEquals(
        many,
        schema.objects().values().stream()
            .flatMap(object -> schema.parentsOf(object).stream())
            .filter(parent -> parent.name().equals("s.t"))
            .count());
  }

  private static Schema schema(List<SchemaObject> objects) {
    return Schema.of(new ShardId("a"), objects, Set.of(), Set.of(), Set.of());
  }

  private static SchemaObject table(String name, String partitionOf) {
    return SchemaObjects.object(
        ObjectKind.TABLE,
        name,
        "",
        partitionOf.isEmpty() ? Map.of() : Map.of(SchemaObject.PARTITION_OF, partitionOf));
  }
}

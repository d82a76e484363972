package dev.reshard.schema;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class LateObjectsTest {
  @Test
  void indexesAndKeysOfTablesWaitForTheRows() {
    assertEquals(
        Set.of("CONSTRAINT pk", "INDEX i", "REPLICA IDENTITY t"),
        LateObjects.of(
            List.of(
                object(ObjectKind.TABLE, "t", "", ""),
                object(ObjectKind.CONSTRAINT, "pk", "TABLE t", "PRIMARY KEY (id)"),
                object(ObjectKind.CONSTRAINT, "positive", "TABLE t", "CHECK ((id > 0))"),
                object(ObjectKind.INDEX, "i", "TABLE t", "CREATE INDEX"),
                object(ObjectKind.INDEX, "of_view", "MATERIALIZED VIEW v", "CREATE INDEX"),
                object(ObjectKind.REPLICA_IDENTITY, "t", "TABLE t", "", "INDEX i"),
                object(ObjectKind.TRIGGER, "tr", "TABLE t", ""))));
  }

  @Test
  void whatSomethingElseNeedsDoesNotWaitNorWhatItNeedsItself() {
    assertEquals(
        Set.of("INDEX i"),
        LateObjects.of(
            List.of(
                object(ObjectKind.CONSTRAINT, "pk", "TABLE root", "PRIMARY KEY (id)"),
                object(
                    ObjectKind.CONSTRAINT,
                    "pk_leaf",
                    "TABLE leaf",
                    "PRIMARY KEY (id)",
                    "CONSTRAINT pk"),
                object(ObjectKind.INDEX, "i", "TABLE root", "CREATE INDEX"),
                object(
                    ObjectKind.FOREIGN_KEY,
                    "fk",
                    "TABLE other",
                    "FOREIGN KEY",
                    "CONSTRAINT pk_leaf"))));
  }

  private static SchemaObject object(
      ObjectKind kind, String name, String partOf, String definition, String... needs) {
    return SchemaObjects.object(kind, name, partOf, Map.of("definition", definition), needs);
  }
}

package dev.reshard.schema;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Objects of which only what a test is about is said. */
final class SchemaObjects {
  private SchemaObjects() {}

  static SchemaObject object(
      ObjectKind kind, String name, String partOf, Map<String, String> facets, String... needs) {
    return new SchemaObject(
        kind,
        name,
        partOf,
        "owner",
        Set.of(needs),
        new TreeMap<>(facets),
        List.of(),
        List.of(),
        "",
        "",
        "",
        false);
  }
}
